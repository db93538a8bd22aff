// base64url without padding (RFC 4648 section 5), and only the one spelling of each value.
export const toBase64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** Undefined unless `text` is exactly what `toBase64url` writes: spare bits, padding and other alphabets are refused. */
export function fromBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
