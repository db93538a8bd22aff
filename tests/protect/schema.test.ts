// What a tenant may call its viewers: whatever two parties can read in one way only.
import { expect, test } from 'vitest'
import {
  GrantRequest,
  PlaybackRequest,
  RevocationRequest,
  SessionQuery,
} from '../../shared/protect/schema.ts'

const requests = { PlaybackRequest, GrantRequest, RevocationRequest, SessionQuery }

test.each(Object.entries(requests))(
  '%s takes any text but half of a surrogate pair for a viewer',
  (_, request) => {
    const takes = (viewer: string) => request.safeParse({ viewer }).success
    // Hashed as UTF-8 all of these would be one viewer, and no grant may name one (RFC 8259 8.2).
    for (const half of ['\ud800', '\udfff', 'anna \udc00']) expect(takes(half)).toBe(false)
    for (const name of ['anna', 'Jörg', '😀', '\ud83d\ude00', '\u0000', '\ufffd'])
      expect(takes(name)).toBe(true)
  },
)
