// Encode: one orchestration a title deals its chunks out to parts; activities admit, probe, encode, finish or clean.
import type { App } from '../shared/app.ts'
import {
  cleanAsset,
  encodeAsset,
  encodePart,
  encodeUnit,
  quoteAsset,
  retireVersions,
} from '../shared/encode/orchestrate.ts'
import type { Activity, Orchestrator, StageDefinitions, Timer } from './definition.ts'
import { cleaning, drive, encoding } from './hand-off.ts'

const orchestrator = (name: string, run: Orchestrator['run']): Orchestrator => ({
  kind: 'orchestrator',
  name,
  run,
})
const activity = (name: string, run: (app: App, input: unknown) => Promise<unknown>): Activity => ({
  kind: 'activity',
  name,
  run,
})

/** A unit that was offered just now may be the first of many: workers are called at once, not at the next watch. */
const encodeOffer: Activity = {
  kind: 'activity',
  name: 'encode-offer',
  durable: true,
  run: async (app, input, orchestrations) => {
    const looked = await app.encode.offer(input)
    if (looked.ok && looked.fresh) await drive(app, orchestrations, await app.fleet.call('encoder'))
    return looked
  },
}

/** Heals what a lost process left: an encode that never started, a failed title that was never cleaned. */
const encodeSweep: Timer = {
  kind: 'timer',
  name: 'encode-sweep',
  schedule: '30 * * * * *',
  run: async (app) =>
    (await app.encode.findLost()).map((asset) =>
      asset.state === 'encoding' ? encoding(asset) : cleaning(asset),
    ),
}

export const encode: StageDefinitions = {
  servedBy: 'orchestrate',
  definitions: [
    orchestrator('encode-asset', encodeAsset),
    orchestrator('encode-part', encodePart),
    orchestrator('encode-unit', encodeUnit),
    orchestrator('encode-clean', cleanAsset),
    orchestrator('encode-retire', retireVersions),
    orchestrator('encode-quote', quoteAsset),
    encodeSweep,
  ],
}

export const encodeActivities: StageDefinitions = {
  servedBy: 'encode',
  definitions: [
    activity('encode-admit', (app, input) => app.encode.admit(input)),
    activity('encode-prepare', (app, input) => app.encode.prepare(input)),
    activity('encode-verify', (app, input) => app.encode.verify(input)),
    activity('encode-poster', (app, input) => app.encode.poster(input)),
    activity('encode-chunk', (app, input) => app.encode.chunk(input)),
    activity('encode-audio', (app, input) => app.encode.audio(input)),
    activity('encode-images', (app, input) => app.encode.images(input)),
    encodeOffer,
    activity('encode-unclaimed', (app, input) => app.encode.unclaimed(input)),
    activity('encode-finish', (app, input) => app.encode.finish(input)),
    activity('encode-fail', (app, input) => app.encode.fail(input)),
    activity('encode-renew', (app, input) => app.encode.renew(input)),
    activity('encode-quote-probe', (app, input) => app.encode.quote(input)),
    activity('encode-retire-versions', (app, input) => app.encode.retire(input)),
  ],
}
