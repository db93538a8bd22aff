// Rotation: a title's content keys are changed, and so is the KEK that wraps all keys. Each function is one activity.
import { createContentKeys, type KeyDeps } from './content-keys.ts'
import { createRekey, nextGeneration, type RekeyDeps } from './rekey.ts'
import { createRewrap } from './rewrap.ts'
import { type ActivityName, RekeyBatch, RekeyTarget } from './work.ts'

export type RotationDeps = KeyDeps & Omit<RekeyDeps, 'contentKeys'>

/** Inputs come from the orchestration's history and are parsed at this edge. */
export function createRotation(deps: RotationDeps) {
  const rekey = createRekey({ ...deps, contentKeys: createContentKeys(deps) })
  const { rewrap, outdated } = createRewrap(deps)
  const activities: Readonly<Record<ActivityName, (input: unknown) => Promise<unknown>>> = {
    rekeyBegin: async (input) => rekey.begin(RekeyTarget.parse(input)),
    rekeyBatch: async (input) => rekey.batch(RekeyBatch.parse(input)),
    rekeySwitch: async (input) => rekey.switch(RekeyTarget.parse(input)),
    rekeyRetire: async (input) => rekey.retire(RekeyTarget.parse(input)),
    rewrap,
  }
  return { activities, nextGeneration, outdated }
}
