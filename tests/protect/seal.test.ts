// Sealing against the vectors of NIST SP 800-38A, and IVs against hashes that openssl made.
import { createDecipheriv } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { segmentIv } from '../../shared/protect/iv.ts'
import { sealSegment } from '../../shared/protect/seal.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const key = hex('2b7e151628aed2a6abf7158809cf4f3c')
const iv = hex('000102030405060708090a0b0c0d0e0f')

test('is AES-128-CBC as in SP 800-38A F.2.1, and one block of padding after whole blocks', () => {
  const plain = hex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51')
  const sealed = Buffer.from(sealSegment(plain, key, iv))
  const expected = '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2'
  expect(sealed.subarray(0, 32).toString('hex')).toBe(expected)
  const raw = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
  const padded = Buffer.concat([raw.update(sealed), raw.final()])
  expect(padded.subarray(32)).toEqual(Buffer.alloc(16, 16))
})

test('opens to the same bytes, 1 to 16 larger, and the same input gives the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (plain) => {
      const sealed = sealSegment(plain, key, iv)
      const decipher = createDecipheriv('aes-128-cbc', key, iv)
      expect(Buffer.concat([decipher.update(sealed), decipher.final()]).equals(plain)).toBe(true)
      expect(sealed.length % 16).toBe(0)
      expect(sealed.length - plain.length).toBeGreaterThan(0)
      expect(sealed.length - plain.length).toBeLessThanOrEqual(16)
      expect(sealSegment(plain, key, iv)).toEqual(sealed)
    }),
  )
})

test.each([
  // printf '1\0abc\0v720\0007' | openssl dgst -sha256
  [{ version: 1, planHash: 'abc', rendition: 'v720', number: 7 }, 'd575e434d02f7756db728a8d8937e663'],
  // printf '2\0f00d\0audio\0000' | openssl dgst -sha256
  [{ version: 2, planHash: 'f00d', rendition: 'audio', number: 0 }, 'bf444899ddb1346304aef472e31002d7'],
])('the IV of %j is %s', (place, expected) => {
  expect(Buffer.from(segmentIv(place)).toString('hex')).toBe(expected)
})
