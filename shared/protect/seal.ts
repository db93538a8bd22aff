// How a segment is sealed, and opened to be sealed anew: the whole of it AES-128-CBC with PKCS7 padding (RFC 8216 4.3.2.4).
import { createCipheriv, createDecipheriv } from 'node:crypto'

export function sealSegment(bytes: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-cbc', key, iv)
  return Buffer.concat([cipher.update(bytes), cipher.final()])
}

/** Throws where the padding shows that it was another key's, or that bytes are missing. */
export function openSegment(sealed: Uint8Array, key: Uint8Array, iv: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-128-cbc', key, iv)
  return Buffer.concat([decipher.update(sealed), decipher.final()])
}
