// Deliver: manifests, keys, segments and images, byte by byte what was asked for, and only to whom a session grants it.
export { createDeliver, type DeliverDeps, type DeliverRequest } from './answer.ts'
export { largestSegmentBytes } from './bound.ts'
export type { DeliverReply } from './representation.ts'
