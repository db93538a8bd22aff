// The orchestrations of encode with activities that only write down that they ran: what is left is the engine's own work.
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import * as df from 'durable-functions'
import { encodeAsset, encodePart } from '../../../shared/encode/orchestrate.ts'
import { activityNames, partName } from '../../../shared/encode/work.ts'
import '../app-durable/binding.ts'

const { CHUNKS, WINDOW, RAN_DIRECTORY = '.' } = process.env
const prepared = { plan: 'plan.json', chunks: Number(CHUNKS), window: Number(WINDOW), hasAudio: true }

df.app.orchestration('encode-asset', encodeAsset)
df.app.orchestration(partName, encodePart)
for (const name of Object.values(activityNames))
  df.app.activity(name, {
    handler: async (input: { chunk?: number; passed?: number }) => {
      const steps = name === activityNames.chunk && input.chunk === 7 && (input.passed ?? 0) < 2
      if (!steps) appendFileSync(join(RAN_DIRECTORY, 'ran'), `${name} ${input.chunk ?? ''}\n`)
      await new Promise((resolve) => setTimeout(resolve, 1))
      return { ok: true, waitSeconds: steps ? 1 : 0, ...(name === activityNames.prepare ? prepared : {}) }
    },
  })
