// How a segment is sealed: the whole of it AES-128-CBC with PKCS7 padding (RFC 8216 4.3.2.4).
import { createCipheriv } from 'node:crypto'

export function sealSegment(bytes: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-cbc', key, iv)
  return Buffer.concat([cipher.update(bytes), cipher.final()])
}
