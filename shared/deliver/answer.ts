// The one door to everything below `play/{token}/`: first who asks, then what for; a refusal never tells what was wrong.
import type { AssetStore, MediaStore } from '../assets/ports.ts'
import type { Client } from '../core/client.ts'
import type { Clock } from '../core/clock.ts'
import { Problem } from '../core/problem.ts'
import { createContents } from './contents.ts'
import { corsHeaders, preflightHeaders, type ReplyHeaders } from './cors.ts'
import { isGrant, opensSession, purposeOf, readPath } from './path.ts'
import type { Authorise, ContentKey, Granted, Meter, Redeem, SegmentIv } from './ports.ts'
import type { ReadHeader } from './preconditions.ts'
import { problemReply } from './problem-reply.ts'
import { answerWith, type DeliverReply } from './representation.ts'
import { createTitles } from './titles.ts'

export interface DeliverDeps {
  readonly assets: Pick<AssetStore, 'get'>
  readonly media: Pick<MediaStore, 'get' | 'read' | 'facts'>
  readonly authorise: Authorise
  readonly redeem: Redeem
  readonly contentKey: ContentKey
  readonly segmentIv: SegmentIv
  readonly meter: Meter
  readonly clock: Clock
  readonly graceMs?: number
  /** Counts a refusal of this network; seconds to wait once there were too many, else 0. */
  readonly refused: (network: string) => number
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
  /** What absolute URLs start with. */
  readonly origin: string
}

const always: ReplyHeaders = { 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' }
/** A refusal is the same for everybody, so a player on any site may read it and know it from a lost connection. */
const openToAll: ReplyHeaders = { 'access-control-allow-origin': '*', vary: 'Origin' }
const methods = ['GET', 'HEAD', 'OPTIONS']

export function createDeliver(deps: DeliverDeps) {
  const findTitle = createTitles(deps)
  const findContent = createContents(deps)

  /** Without any header there is no client to tell apart: all who ask like that would share one place. */
  const believable = ({ token, client }: DeliverRequest): string =>
    client.network === 'unknown' && client.userAgent === '' ? '' : token

  /** Whatever was wrong. Only refusals are counted, so a good token is never throttled. */
  function refuse({ client }: DeliverRequest): DeliverReply {
    const waitSeconds = deps.refused(client.network)
    const headers = { ...openToAll, ...(waitSeconds > 0 && { 'retry-after': String(waitSeconds) }) }
    return finish(problemReply(waitSeconds > 0 ? 'too-many-requests' : 'playback-refused'), headers)
  }

  async function answerGranted(granted: Granted, request: DeliverRequest): Promise<DeliverReply> {
    const { maxResolution } = granted
    const title = await findTitle(granted)
    if (!title) return problemReply('playback-refused')
    const path = readPath(request.path)
    const found = path && (await findContent(title, { path, header: request.header, maxResolution }))
    if (!found) return problemReply('not-found')
    if (found === 'refused') return problemReply('playback-refused')
    return answerWith(found, { ...request, maxBytes: deps.answerMaxBytes })
  }

  /** The same session's URL each time; the grant is not needed after it, and a key or a segment is never asked with one. */
  async function redirect(request: DeliverRequest): Promise<DeliverReply> {
    const { client, header, method, origin } = request
    const open = method !== 'OPTIONS'
    const redeemed = await deps.redeem({ grant: believable(request), client, open })
    if (!redeemed) return refuse(request)
    const cors = corsHeaders(header, redeemed.allowedOrigins)
    if (!redeemed.token) return preflight(cors)
    const location = `${origin}/api/v1/play/${redeemed.token}/master.m3u8`
    // Not even the policy on referrers: it would hold for the request that follows, which may have to show its page.
    const { 'referrer-policy': _, ...headers } = always
    return {
      status: 302,
      headers: { ...headers, ...cors, location, 'cache-control': 'no-store', 'content-length': '0' },
    }
  }

  async function reply(request: DeliverRequest): Promise<DeliverReply> {
    const { client, header, method } = request
    if (isGrant(request.token) && opensSession(request.path)) return redirect(request)
    const purpose = method === 'OPTIONS' ? 'image' : purposeOf(readPath(request.path))
    const granted = await deps.authorise({ token: believable(request), client, purpose })
    if (!granted) return refuse(request)
    const cors = corsHeaders(header, granted.allowedOrigins)
    if (method === 'OPTIONS') return preflight(cors)
    const answered = await answerGranted(granted, request)
    // To whoever asks, a title that is gone and a token that never was look the same.
    if (answered.status === 403) return refuse(request)
    deps.meter.served(granted.sessionId, method === 'HEAD' ? 0 : (answered.body?.length ?? 0))
    return finish(answered, cors)
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

const preflight = (cors: ReplyHeaders): DeliverReply => ({
  status: 204,
  headers: { ...always, ...preflightHeaders(cors) },
})

function finish(reply: DeliverReply, cors: ReplyHeaders): DeliverReply {
  const vary = [cors['vary'], reply.headers['vary']].filter(Boolean).join(', ')
  return { ...reply, headers: { ...always, ...reply.headers, ...cors, vary } }
}
