// Everything that is nearly a token: mutations of its text, for session tokens and grants alike, as fast-check draws them.
import fc from 'fast-check'

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Full-width forms, and letters of other scripts that look alike or that normalisation (NFKC) would fold. */
const lookAlikes: Readonly<Record<string, string>> = {
  a: 'а',
  c: 'с',
  e: 'е',
  i: 'і',
  o: 'ο',
  p: 'р',
  x: 'х',
  K: 'K',
  s: 'ſ',
  '-': '‐',
  _: '＿',
  '.': '．',
  '1': '¹',
}
const wide = (c: string) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)
const lookAlike = (c: string) => lookAlikes[c] ?? wide(c)
const percent = (c: string) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`

/** The same bytes in the other spellings that a lenient reader of base64 would take. */
function respell(part: string, how: number): string {
  const last = base64url.indexOf(part.at(-1) ?? 'A')
  if (how < 4) return part.slice(0, -1) + base64url[(last & ~3) | how]
  if (how < 20) return part.slice(0, -1) + base64url[(last & ~15) | (how - 4)]
  if (how === 20) return part.replaceAll('-', '+').replaceAll('_', '/')
  if (how === 21) return part.replace('-', '+')
  if (how === 22) return part.replace('_', '/')
  return part + '='.repeat(how - 22)
}

const insertions = [
  '\0',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\u200b',
  '\u00ad',
  '\u0301',
  '\ufeff',
  '%',
  '..',
  '/',
  ';',
]

export function textMutations(token: string): fc.Arbitrary<string> {
  const at = fc.nat(token.length - 1)
  const replaceAt = (n: number, text: string) => token.slice(0, n) + text + token.slice(n + 1)
  const insertAt = (n: number, text: string) => token.slice(0, n) + text + token.slice(n)
  const part = fc.nat(token.split('.').length - 1)
  const inPart = (n: number, change: (text: string) => string) =>
    token
      .split('.')
      .map((text, k) => (k === n ? change(text) : text))
      .join('.')
  const often = [
    fc.tuple(at, fc.nat(7)).map(([n, bit]) => {
      const bytes = Buffer.from(token, 'latin1')
      bytes[n] = (bytes[n] ?? 0) ^ (1 << bit)
      return bytes.toString('latin1')
    }),
    fc.tuple(at, fc.constantFrom(...base64url)).map(([n, c]) => replaceAt(n, c)),
    fc
      .tuple(part, fc.integer({ min: 0, max: 25 }))
      .map(([n, how]) => inPart(n, (text) => respell(text, how))),
    fc.tuple(at, at).map(([a, b]) => {
      const letters = [...token]
      ;[letters[a], letters[b]] = [letters[b] ?? '', letters[a] ?? '']
      return letters.join('')
    }),
    at.map((n) => token.slice(0, n)),
    at.map((n) => token.slice(n + 1)),
    fc.tuple(at, at).map(([a, b]) => token.slice(0, Math.min(a, b)) + token.slice(Math.max(a, b) + 1)),
    at.map((n) => replaceAt(n, lookAlike(token[n] ?? ''))),
    at.map((n) => replaceAt(n, percent(token[n] ?? ''))),
    fc
      .tuple(at, fc.constantFrom(...insertions, ...insertions.map(encodeURIComponent)))
      .map(([n, text]) => insertAt(n, text)),
    fc
      .tuple(at, fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }))
      .map(([n, text]) => insertAt(n, text)),
    fc.shuffledSubarray(token.split('.'), { minLength: 1 }).map((parts) => parts.join('.')),
    fc.tuple(part, part).map(([a, b]) => inPart(a, () => token.split('.')[b] ?? '')),
    fc.tuple(part, fc.constantFrom('', '.', '..', 'A', '=')).map(([n, text]) => inPart(n, () => text)),
    at.map((n) => {
      const c = token[n] ?? ''
      return replaceAt(n, c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase())
    }),
  ]
  const whole = fc.constantFrom(
    token + token,
    `${token}.${token}`,
    `${token}.`,
    `.${token}`,
    `${token},${token}`,
    `"${token}"`,
    token.toUpperCase(),
    token.toLowerCase(),
    [...token].map(wide).join(''),
    [...token].map(percent).join(''),
    [...token].toReversed().join(''),
    encodeURIComponent(token).replaceAll('.', '%2E'),
    [...token].join('\u0301'),
    `${token}\u0301`.normalize('NFC'),
    Buffer.from(token).toString('base64url'),
    Buffer.from(token, 'utf16le').toString('latin1'),
  )
  const megabyte = 1 << 20
  const huge = fc
    .constantFrom('a', '.', `${token}.`, 'e30.', '💥')
    .map((text) => text.repeat(Math.ceil(megabyte / text.length)))
  return fc.oneof(
    { weight: 900, arbitrary: fc.oneof(...often) },
    { weight: 80, arbitrary: whole },
    { weight: 19, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
    { weight: 1, arbitrary: huge },
  )
}
