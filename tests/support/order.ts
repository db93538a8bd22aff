// In which order the files run: the longest first, since one begun last runs alone to the end; those that share a process at the end.
import { join, relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Each takes half a minute and more, for what it waits or counts; the others fill the gaps in between. */
const long = [
  'flow/wake',
  'flow/workers',
  'flow/kill',
  'flow/auto',
  'browser/console',
  'flow/fleet',
  'browser/fleet',
  'flow/control',
  'flow/rekey',
  'browser/players',
  'browser/embed',
  'flow/sample',
  'flow/fairness',
  'browser/encode',
  'flow/webhooks',
  'infra-script',
  'encode/chunks',
  'host/platform-fleet',
  'docs',
  'protect/processes',
  'fleet/edge',
  'host/storage',
  'host/durable-kill',
  'host/platform',
  'protect/fuzz',
].map((name) => `${name}.test.ts`)

const tests = join(import.meta.dirname, '..')

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification) => {
      const at = long.indexOf(relative(tests, moduleId))
      return (at < 0 ? long.length : at) + (project.config.isolate ? 0 : long.length + 1)
    }
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b))
  }
}
