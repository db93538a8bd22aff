// Shows what the fleet decides: `npm run simulate -- [--scenario name or file.json] [--seed n] [--json] [--list]`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figuresOf, tableOf } from '../bench/simulate/figures.ts'
import { drawPool } from '../bench/simulate/plot.ts'
import { compare } from '../bench/simulate/run.ts'
import { readScenario, type Scenario, ScenarioError } from '../bench/simulate/scenario.ts'
import { drawTerminal } from '../bench/simulate/terminal.ts'

const shipped = fileURLToPath(new URL('../bench/simulate/scenarios', import.meta.url))
const usage = `npm run simulate -- [options]
  --scenario x   one of those listed, or a file of your own (repeatable; without it, all that are listed)
  --seed n       another course of chance (1)
  --plots dir    where the pictures go (bench/simulate/plots)
  --json         the figures alone, as one JSON document
  --list         what there is`

const names = (): string[] =>
  readdirSync(shipped)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))

function load(asked: string): Scenario {
  const path = names().includes(asked) ? join(shipped, `${asked}.json`) : resolve(asked)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new ScenarioError(`There is no scenario ${asked}. Name a file, or one of: ${names().join(', ')}.`)
  }
  return readScenario(basename(path, '.json'), text)
}

function simulate(
  scenario: Scenario,
  { seed, plots, isQuiet }: { seed: number; plots: string; isQuiet: boolean },
) {
  const startedMs = performance.now()
  const say = (text: string): void => {
    if (!isQuiet) console.log(text)
  }
  say(`\n── ${scenario.title} (${scenario.name}, seed ${seed})\n${scenario.note}`)
  const pools = scenario.pools.map((plan) => {
    const runs = compare(scenario, plan, seed)
    const file = join(plots, `${scenario.name}-${plan.name}.svg`)
    mkdirSync(plots, { recursive: true })
    writeFileSync(file, drawPool(scenario, runs, seed))
    say(
      `\n${drawTerminal(scenario, runs[0]!)}\n\n${tableOf(runs, scenario.currency)}\n  → ${relative('', file)}`,
    )
    return { pool: plan.name, plot: file, runs: runs.map(figuresOf) }
  })
  say(`  ${((performance.now() - startedMs) / 1000).toFixed(1)} s`)
  return { scenario: scenario.name, title: scenario.title, currency: scenario.currency, seed, pools }
}

function main(): void {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true, default: [] },
      seed: { type: 'string', default: '1' },
      plots: { type: 'string', default: fileURLToPath(new URL('../bench/simulate/plots', import.meta.url)) },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  if (values.list) {
    const width = Math.max(...names().map(({ length }) => length))
    for (const name of names()) console.log(`${name.padEnd(width)}  ${load(name).title}`)
    return
  }
  if (!/^\d{1,9}$/.test(values.seed))
    throw new ScenarioError(`--seed must be a whole number, not ${values.seed}.`)
  const chosen = (values.scenario.length > 0 ? values.scenario : names()).map(load)
  const options = { seed: Number(values.seed), plots: values.plots, isQuiet: values.json }
  const results = chosen.map((scenario) => simulate(scenario, options))
  if (values.json) console.log(JSON.stringify(results, null, 2))
}

try {
  main()
} catch (error) {
  const isTheirs =
    error instanceof ScenarioError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')
  if (!isTheirs) throw error
  console.error(`✖ ${(error as Error).message}${error instanceof ScenarioError ? '' : `\n${usage}`}`)
  process.exitCode = 1
}
