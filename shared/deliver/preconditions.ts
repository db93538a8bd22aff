// What conditional headers decide before anything is read (RFC 9110 section 13), for representations with strong ETags.
/** The value of a request's header, by its lower-case name. */
export type ReadHeader = (name: string) => string | null

interface EntityTag {
  readonly weak: boolean
  /** With its quotes. */
  readonly opaque: string
}

/** A list of entity tags (8.8.3), `*`, or undefined when it is not well formed; a tag may hold commas. */
function entityTags(header: string): readonly EntityTag[] | '*' | undefined {
  if (header.trim() === '*') return '*'
  const tags: EntityTag[] = []
  const element = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y
  while (element.lastIndex < header.length) {
    const found = element.exec(header)
    if (!found) return undefined
    if (found[2]) tags.push({ weak: found[1] !== undefined, opaque: found[2] })
  }
  return tags.length > 0 ? tags : undefined
}

/**
 * In the order of 13.2.2. There is no Last-Modified, so If-Unmodified-Since and If-Modified-Since are ignored (13.1.3,
 * 13.1.4). If-Match compares strongly, If-None-Match weakly; what can not be read matches nothing.
 */
export function evaluatePreconditions(
  header: ReadHeader,
  etag: string,
): 'proceed' | 'not-modified' | 'failed' {
  const ifMatch = header('if-match')
  if (ifMatch !== null) {
    const tags = entityTags(ifMatch)
    const matches = tags === '*' || tags?.some((tag) => !tag.weak && tag.opaque === etag)
    if (!matches) return 'failed'
  }
  const ifNoneMatch = header('if-none-match')
  if (ifNoneMatch !== null) {
    const tags = entityTags(ifNoneMatch)
    if (tags === '*' || tags?.some((tag) => tag.opaque === etag)) return 'not-modified'
  }
  return 'proceed'
}

/** Whether Range may be heeded (13.1.5): no If-Range, or exactly this strong tag; weak tags and dates never match. */
export const ifRangeHolds = (header: ReadHeader, etag: string): boolean =>
  (header('if-range') ?? etag).trim() === etag
