// The one door to everything below `play/{token}/`: first who asks, then what for; a refusal never tells what was wrong.
import type { AssetStore, MediaStore } from '../assets/ports.ts'
import type { Client } from '../core/client.ts'
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { createContents } from './contents.ts'
import { corsHeaders, preflightHeaders, type ReplyHeaders } from './cors.ts'
import { readPath } from './path.ts'
import type { Authorise, ContentKey, Granted, SegmentIv } from './ports.ts'
import type { ReadHeader } from './preconditions.ts'
import { problemReply } from './problem-reply.ts'
import { answerWith, type DeliverReply } from './representation.ts'
import { createTitles } from './titles.ts'

export interface DeliverDeps {
  readonly assets: Pick<AssetStore, 'get'>
  readonly media: Pick<MediaStore, 'get' | 'read' | 'facts'>
  readonly authorise: Authorise
  readonly contentKey: ContentKey
  readonly segmentIv: SegmentIv
  readonly clock: Clock
  /** Most bytes that one answer holds in memory. */
  readonly answerMaxBytes: number
}

export interface DeliverRequest {
  /** GET, HEAD or OPTIONS. */
  readonly method: string
  readonly token: string
  /** Below `play/{token}/`, without a leading slash. */
  readonly path: string
  readonly header: ReadHeader
  readonly client: Client
}

const always: ReplyHeaders = { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' }
/** A refusal is the same for everybody, so a player on any site may read it and know it from a lost connection. */
const openToAll: ReplyHeaders = { 'access-control-allow-origin': '*', vary: 'Origin' }
const methods = ['GET', 'HEAD', 'OPTIONS']

export function createDeliver(deps: DeliverDeps) {
  const findTitle = createTitles(deps)
  const findContent = createContents(deps)

  async function answerGranted(granted: Granted, request: DeliverRequest): Promise<DeliverReply> {
    const title = await findTitle(granted)
    if (!title) return problemReply('playback-refused')
    const path = readPath(request.path)
    const found = path && (await findContent(title, path, request.header))
    return found
      ? answerWith(found, { ...request, maxBytes: deps.answerMaxBytes })
      : problemReply('not-found')
  }

  async function reply(request: DeliverRequest): Promise<DeliverReply> {
    const granted = await deps.authorise({ token: request.token, client: request.client, purpose: 'media' })
    const cors = corsHeaders(request.header, granted?.allowedOrigins ?? [])
    if (!granted) return finish(problemReply('playback-refused'), openToAll)
    if (request.method === 'OPTIONS')
      return { status: 204, headers: { ...always, ...preflightHeaders(cors) } }
    const answered = await answerGranted(granted, request)
    // To the eye of who asks, a title that is gone and a token that never was are the same.
    return finish(answered, answered.status === 403 ? openToAll : cors)
  }

  return {
    /** Rejects only when something is broken; the caller makes a Problem of it. */
    async answer(request: DeliverRequest): Promise<DeliverReply> {
      if (!methods.includes(request.method)) throw new Problem('not-found')
      const answered = await reply(request)
      return request.method === 'HEAD' ? { status: answered.status, headers: answered.headers } : answered
    },
  }
}

function finish(reply: DeliverReply, cors: ReplyHeaders): DeliverReply {
  const vary = [cors['vary'], reply.headers['vary']].filter(Boolean).join(', ')
  return { ...reply, headers: { ...always, ...reply.headers, ...cors, vary } }
}
