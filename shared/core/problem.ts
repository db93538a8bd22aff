// Every way a request or a title can fail: its stable code, its status, and what its reader should do.
export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** The sentence that says what to do; the default for `detail`. */
  readonly advice: string
}

const kind = (status: number, title: string, advice: string): ProblemKind => ({ status, title, advice })

export const problems = {
  // requests
  'invalid-request': kind(
    400,
    'The request is not well formed',
    'Correct what `errors` lists and send it again.',
  ),
  unauthenticated: kind(401, 'No valid key', 'Send your API key as `Authorization: Bearer <key>`.'),
  forbidden: kind(403, 'Not allowed', 'Use a key whose role allows this.'),
  'playback-refused': kind(403, 'Playback refused', 'Ask the site that gave you this link for a new one.'),
  'not-found': kind(404, 'Not found', 'Check the id; it must be one of your own.'),
  'already-exists': kind(409, 'It exists already', 'Read it instead of creating it, or use another id.'),
  conflict: kind(409, 'Changed by somebody else meanwhile', 'Read it again and repeat your change.'),
  'precondition-failed': kind(
    412,
    'The condition of the request does not hold',
    'Read it again and use the ETag that comes with it.',
  ),
  'too-large': kind(413, 'Too large', 'Send less at once; files go straight to storage with an upload URL.'),
  'range-not-satisfiable': kind(416, 'Range not satisfiable', 'Ask for bytes within `Content-Range`.'),
  'idempotency-mismatch': kind(
    422,
    'Idempotency-Key used for another request',
    'Use a new key for a new request.',
  ),
  'protection-not-available': kind(
    422,
    'Protection not available',
    'Use `aes-128`, the one scheme there is so far.',
  ),
  'limit-reached': kind(
    403,
    'A limit of this tenant is reached',
    'Make room, or ask the operator of this platform for a higher limit.',
  ),
  'too-many-requests': kind(429, 'Too many requests', 'Wait as long as `Retry-After` says, then go on.'),
  internal: kind(500, 'Something went wrong here', 'Try again; if it stays, report `instance`.'),
  unavailable: kind(503, 'Not available now', 'Try again after `Retry-After` seconds.'),
  // uploads
  'upload-closed': kind(409, 'The upload is closed', 'This title has left `uploading`; create a new upload.'),
  'upload-incomplete': kind(
    409,
    'The file is not there yet',
    'Put all blocks and commit their list, then complete.',
  ),
  'upload-size-mismatch': kind(
    409,
    'The file has another size than announced',
    'Upload the whole file again, or create an upload with the right `sizeBytes`.',
  ),
  'upload-abandoned': kind(
    410,
    'The upload was never finished',
    'Create a new upload and complete it in time.',
  ),
  // playback
  'signing-key-refused': kind(
    422,
    'This key can not sign grants',
    'Register the public key alone, in PEM: Ed25519, P-256, or RSA of 2048 to 4096 bits.',
  ),
  'not-playable-yet': kind(
    409,
    'Not playable yet',
    'Wait until the first segments are encoded; `progress` tells.',
  ),
  'asset-failed': kind(409, 'This title failed', 'Read its `error`, repair the source and upload it again.'),
  // sources
  'source-changed': kind(
    409,
    'The source was changed after complete',
    'Upload the final file again and leave it alone after `complete`.',
  ),
  'checksum-mismatch': kind(409, 'The checksum differs', 'The file was damaged on its way; upload it again.'),
  'source-unreadable': kind(
    422,
    'The source can not be read',
    'Export the film again, as MP4 or MKV, and upload that.',
  ),
  'source-not-media': kind(
    422,
    'This is not a film',
    'Upload a video file (MP4, MOV, MKV, WebM, TS, AVI …).',
  ),
  'source-not-allowed': kind(
    422,
    'This kind of file is not accepted',
    'Playlists and lists of files are not accepted; upload the film itself as one file.',
  ),
  'source-truncated': kind(
    422,
    'The source ends too early',
    'The file is cut off; upload the whole of it again.',
  ),
  'source-without-video': kind(422, 'The source has no video', 'Upload a file that has a video stream.'),
  'source-too-long': kind(422, 'The source is too long', 'Cut it into parts that are within the limit.'),
  'source-too-many-pixels': kind(422, 'The picture is too large', 'Export it at 8K or less and upload that.'),
  'encode-failed': kind(
    422,
    'The encoder failed',
    'Try another export of the film; if it stays, report the asset id.',
  ),
  'encode-cancelled': kind(
    409,
    'The encode was cancelled',
    'Upload the film again, if it is wanted after all.',
  ),
  'source-gone': kind(409, 'The source is not there any more', 'Upload the film again, as a new title.'),
  'encode-outdated': kind(409, 'Another ffmpeg began this encode', 'Wait: it starts again by itself.'),
  'cap-exceeded': kind(
    422,
    'The limit of encoding is reached',
    'Wait for the next month, or ask the operator of this platform for a higher limit; then upload it again.',
  ),
  'encode-too-slow': kind(422, 'Encoding took too long', 'Try again; if it stays, report the asset id.'),
} as const satisfies Record<string, ProblemKind>

export type ProblemCode = keyof typeof problems

/** What the reader of one bad field is told: a JSON pointer into the body and a sentence. */
export interface FieldError {
  readonly pointer: string
  readonly message: string
}

export interface ProblemOptions {
  readonly detail?: string
  readonly errors?: readonly FieldError[]
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly options: ProblemOptions
  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code].advice, { cause: options.cause })
    this.code = code
    this.options = options
  }
  get status(): number {
    return problems[this.code].status
  }
}

/** RFC 9457 `application/problem+json`. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ProblemCode
  readonly instance?: string
  readonly errors?: readonly FieldError[]
}

export const problemBody = (problem: Problem, instance?: string): ProblemBody => ({
  type: `/problems/${problem.code}`,
  title: problems[problem.code].title,
  status: problem.status,
  detail: problem.message,
  code: problem.code,
  ...(instance ? { instance } : {}),
  ...(problem.options.errors ? { errors: problem.options.errors } : {}),
})
