// Attacks every door of playback with a million mutations of its tokens: `npm run fuzz -- [runs] [seed]`.
import { attack, fuzzTargets } from '../tests/protect/fuzz.ts'

const [runsAsked = '1000000', seedAsked] = process.argv.slice(2)
const runs = Number(runsAsked)
const seed = seedAsked === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seedAsked)
/** Between two lines of progress. */
const stepRuns = 10_000

const doors = await fuzzTargets()
const share = Math.ceil(runs / doors.length)
console.log(`${runs} mutations, seed ${seed}, shared by: ${doors.map(({ name }) => name).join(', ')}`)

const started = performance.now()
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`
let done = 0
for (const door of doors)
  for (let n = 0; n < share; n += stepRuns) {
    const step = Math.min(stepRuns, share - n)
    try {
      await attack(door, { seed: seed + n, runs: step })
    } catch (error) {
      console.error(`✖ ${door.name}, seed ${seed + n}: ${String(error)}`)
      process.exit(1)
    }
    done += step
    if (process.stdout.isTTY || n + step === share) console.log(`${seconds()}  ${done}  ${door.name}`)
  }
console.log(
  `${done} mutations of ${doors.length} kinds of token, none accepted (${seconds()}, seed ${seed}).`,
)
