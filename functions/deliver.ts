// Deliver: one function owns everything below `play/`: manifests, segments, keys and images, for those with a token or a grant.
import { play } from '../shared/http/play.ts'
import { http, type StageDefinitions } from './definition.ts'

export const deliver: StageDefinitions = { servedBy: 'deliver', definitions: [http(play)] }
