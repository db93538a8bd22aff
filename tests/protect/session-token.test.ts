// Session tokens against vectors made by openssl, and against everything that is nearly one.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mintToken, tokenMaxBytes, verifyToken, viewerKeyOf } from '../../shared/protect/session-token.ts'
import vectors from './session-tokens.json' with { type: 'json' }

const runs = Number(process.env['FUZZ'] ?? 10_000)
const key = { keyId: vectors.keyId, secret: Buffer.from(vectors.secretHex, 'hex') }
const session = { sessionId: '0123456789abcdef-0123456789abcdefghjk', expiresAtSeconds: 1_770_110_208 }
const token = mintToken(session, key)
const before = session.expiresAtSeconds - 1
const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const accepts = (candidate: string) => verifyToken(candidate, key, before) !== undefined
const refusesAll = (candidates: fc.Arbitrary<string>, numRuns: number) => {
  expect(accepts(token)).toBe(true)
  fc.assert(
    fc.property(candidates, (candidate) => {
      fc.pre(candidate !== token)
      expect(accepts(candidate)).toBe(false)
    }),
    { numRuns },
  )
}

describe('session token', () => {
  test.each(vectors.tokens)('is what openssl signs: %s', (golden) => {
    expect(mintToken(golden, key)).toBe(golden.token)
    expect(verifyToken(golden.token, key, golden.expiresAtSeconds - 1)).toMatchObject({
      sessionId: golden.sessionId,
      expiresAtSeconds: golden.expiresAtSeconds,
    })
  })

  test('fits 160 bytes until the year 9999, and a path as it is', () => {
    const late = mintToken({ ...session, expiresAtSeconds: 253_402_300_799 }, key)
    expect(verifyToken(late, key, before)).toBeDefined()
    expect(Buffer.byteLength(late)).toBeLessThanOrEqual(tokenMaxBytes)
    expect(encodeURIComponent(late)).toBe(late)
  })

  test('is refused from its very second on', () => {
    expect(verifyToken(token, key, session.expiresAtSeconds - 1)).toBeDefined()
    expect(verifyToken(token, key, session.expiresAtSeconds)).toBeUndefined()
  })

  test('is refused under another secret and under another key id', () => {
    expect(accepts(token)).toBe(true)
    const secret = Buffer.from(key.secret).fill(1, 31)
    expect(verifyToken(token, { ...key, secret }, before)).toBeUndefined()
    expect(verifyToken(token, { ...key, keyId: 'p2' }, before)).toBeUndefined()
  })

  test('has one spelling: the other 15 of its last character are refused', () => {
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

  test(`any ${runs} mutations are refused`, { timeout: 60_000 + runs }, () => {
    const position = fc.nat(token.length - 1)
    const flip = fc.tuple(position, fc.nat(7)).map(([at, bit]) => {
      const bytes = Buffer.from(token)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
      return bytes.toString('latin1')
    })
    const replace = fc
      .tuple(position, fc.constantFrom(...base64url))
      .map(([at, c]) => token.slice(0, at) + c + token.slice(at + 1))
    const truncate = position.map((at) => token.slice(0, at))
    const behead = fc.integer({ min: 1, max: token.length }).map((at) => token.slice(at))
    const insert = fc
      .tuple(fc.nat(token.length), fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }))
      .map(([at, text]) => token.slice(0, at) + text + token.slice(at))
    const swap = fc.tuple(position, position).map(([a, b]) => {
      const letters = [...token]
      ;[letters[a], letters[b]] = [letters[b] ?? '', letters[a] ?? '']
      return letters.join('')
    })
    const splice = fc.shuffledSubarray(token.split('.'), { minLength: 1 }).map((parts) => parts.join('.'))
    const mutations = [flip, replace, truncate, behead, insert, swap, splice, fc.string({ unit: 'binary' })]
    refusesAll(fc.oneof(...mutations), runs)
  })

  test('doubled, padded, folded and huge ones are refused', () => {
    expect(accepts(token)).toBe(true)
    const wide = [...token].map((c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)).join('')
    const hostile = [
      token + token,
      `${token}.${token}`,
      ` ${token}`,
      `${token}\0`,
      `${token}\n`,
      wide,
      '',
      '.',
      '...',
    ]
    for (const candidate of [...hostile, 'a'.repeat(1 << 20), token.repeat(8000), '💥'.repeat(1 << 18)])
      expect([candidate.slice(0, 200), accepts(candidate)]).toEqual([candidate.slice(0, 200), false])
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
