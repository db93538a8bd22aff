// Session tokens against vectors made by openssl, and against everything that is nearly one.
import { describe, expect, test } from 'vitest'
import { mintToken, tokenMaxBytes, verifyToken, viewerKeyOf } from '../../shared/protect/session-token.ts'
import vectors from './session-tokens.json' with { type: 'json' }

const key = { keyId: vectors.keyId, secret: Buffer.from(vectors.secretHex, 'hex') }
const session = { sessionId: '0123456789abcdef-0123456789abcdefghjk', expiresAtSeconds: 1_770_110_208 }
const token = mintToken(session, key)
const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const accepts = (candidate: string) => verifyToken(candidate, key) !== undefined

describe('session token', () => {
  test.each(vectors.tokens)('is what openssl signs: %s', (golden) => {
    expect(mintToken(golden, key)).toBe(golden.token)
    expect(verifyToken(golden.token, key)).toMatchObject({
      sessionId: golden.sessionId,
      expiresAtSeconds: golden.expiresAtSeconds,
    })
  })

  test('fits 160 bytes until the year 9999, and a path as it is', () => {
    const late = mintToken({ ...session, expiresAtSeconds: 253_402_300_799 }, key)
    expect(verifyToken(late, key)).toMatchObject({ expiresAtSeconds: 253_402_300_799 })
    expect(Buffer.byteLength(late)).toBeLessThanOrEqual(tokenMaxBytes)
    expect(encodeURIComponent(late)).toBe(late)
  })

  test('is refused under another secret and under another key id', () => {
    expect(accepts(token)).toBe(true)
    const secret = Buffer.from(key.secret).fill(1, 31)
    expect(verifyToken(token, { ...key, secret })).toBeUndefined()
    expect(verifyToken(token, { ...key, keyId: 'p2' })).toBeUndefined()
  })

  test('has one spelling: the others of its last character are refused', () => {
    const spellings = [...base64url].map((last) => token.slice(0, -1) + last)
    const macOf = (text: string) => Buffer.from(text.split('.')[3] ?? '', 'base64url').toString('hex')
    const same = spellings.filter((text) => macOf(text) === macOf(token))
    expect(same.length).toBe(4)
    expect(same.filter(accepts)).toEqual([token])
    for (const other of [`${token}=`, `${token}==`, token.replaceAll('-', '+'), token.replaceAll('_', '/')])
      expect([other, accepts(other)]).toEqual([other, other === token])
  })

  test('a longer spelling of the same expiry is refused even when it is signed', () => {
    expect(accepts(token)).toBe(true)
    for (const sessionId of [
      `${session.sessionId}.0`,
      `${session.sessionId}\n`,
      session.sessionId.toUpperCase(),
    ])
      expect(accepts(mintToken({ ...session, sessionId }, key))).toBe(false)
  })
})

test('a session id tells its viewer, and only when it has the form of one', () => {
  expect(viewerKeyOf(session.sessionId)).toBe('0123456789abcdef')
  for (const id of [
    '',
    `${session.sessionId}0`,
    session.sessionId.slice(1),
    'ses_0',
    `${session.sessionId}/..`,
  ])
    expect(viewerKeyOf(id)).toBeUndefined()
})
