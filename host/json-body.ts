// How an emulator reads the JSON of a request: to its end, holding no more of it than the limit.
import type { IncomingMessage } from 'node:http'

export interface JsonBodyOptions {
  limitBytes: number
  /** What is thrown for a body over the limit. */
  tooLarge: () => Error
  /** What is thrown for one that is not JSON. */
  notJson: () => Error
}

/** Undefined when the body is empty. */
export const jsonBody = async (request: IncomingMessage, options: JsonBodyOptions): Promise<unknown> => {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes <= options.limitBytes) chunks.push(chunk)
  }
  if (sizeBytes > options.limitBytes) throw options.tooLarge()
  if (sizeBytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw options.notJson()
  }
}
