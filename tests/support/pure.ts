// Which files of rules may share a process: those that start nothing, and change nothing that a process has but once.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const folders = '{.,core,http,host,encode,protect,deliver,fleet,webhooks,azure}'

/** A file that names one of these, itself or in what it has in common with others, has a process of its own. */
const own =
  /node:(child_process|cluster|https?|module|net|worker_threads)'|\bprocess\.(?!env\['SEED'\])|\bvi\.|\bglobalThis\b/
const part = /from '(\.[^']+)'/g

function isPure(file: string): boolean {
  const text = readFileSync(file, 'utf8')
  const parts = [...text.matchAll(part)].map(([, path]) => join(dirname(file), path ?? ''))
  return !own.test(text) && parts.filter((path) => path.startsWith(join(root, 'tests'))).every(isPure)
}

export const pureFiles: string[] = globSync(`tests/${folders}/*.test.ts`, { cwd: root }).filter((file) =>
  isPure(join(root, file)),
)
