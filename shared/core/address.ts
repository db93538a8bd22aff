// What an IP address and a network are: numbers with one spelling each, so that texts can be compared (RFC 4291, 4632, 5952).
export interface Network {
  /** 32 for IPv4, and for IPv4 that is mapped into IPv6; else 128. */
  readonly bits: 32 | 128
  /** How many of the first bits count; an address alone has them all. */
  readonly prefix: number
  readonly value: bigint
}

const longest = 45
const octet = /^(0|[1-9]\d{0,2})$/
const group = /^[0-9a-f]{1,4}$/i
const mapped = 0xffffn << 32n

const joined = (parts: readonly number[], width: bigint): bigint =>
  parts.reduce((value, part) => (value << width) | BigInt(part), 0n)

/** Four decimals without leading zeros: whoever reads `010` as 8 would see another address. */
function parse4(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) < 256)) return undefined
  return joined(parts.map(Number), 8n)
}

/** Groups of one side of `::`; the last two may be written as IPv4. */
function groups(side: string): number[] | undefined {
  const parts = side === '' ? [] : side.split(':')
  const dotted = parts.at(-1)?.includes('.') ? parse4(parts.pop() ?? '') : 0n
  if (dotted === undefined || !parts.every((part) => group.test(part))) return undefined
  const read = parts.map((part) => Number.parseInt(part, 16))
  return side.includes('.') ? [...read, Number(dotted >> 16n), Number(dotted & 0xffffn)] : read
}

function parse6(text: string): bigint | undefined {
  const sides = text.split('::')
  const [head, tail] = [groups(sides[0] ?? ''), groups(sides[1] ?? '')]
  if (sides.length > 2 || !head || !tail || (sides.length === 2 && sides[0]?.includes('.'))) return undefined
  const missing = 8 - head.length - tail.length
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined
  return joined([...head, ...new Array<number>(missing).fill(0), ...tail], 16n)
}

/** One address; IPv4 that is mapped into IPv6 is the IPv4 address. Undefined for everything else, zones too. */
export function parseAddress(text: string): Network | undefined {
  if (text.length > longest) return undefined
  const value = text.includes(':') ? parse6(text) : parse4(text)
  if (value === undefined) return undefined
  const isShort = !text.includes(':') || value >> 32n === mapped >> 32n
  return isShort ? { bits: 32, prefix: 32, value: value & 0xffffffffn } : { bits: 128, prefix: 128, value }
}

/** An address, or CIDR whose bits beyond the prefix are 0: `10.0.0.1/8` is a slip, and nobody knows of what. */
export function parseNetwork(text: string): Network | undefined {
  const [, head = '', length] = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text) ?? []
  const address = parseAddress(head)
  if (!address || length === undefined) return address
  // A prefix of mapped IPv4 is counted from the front of the IPv6 address.
  const prefix = Number(length) - (address.bits === 32 && head.includes(':') ? 96 : 0)
  if (prefix < 0 || prefix > address.bits) return undefined
  const network = { ...address, prefix }
  return masked(address, prefix) === address.value ? network : undefined
}

function masked({ bits, value }: Network, prefix: number): bigint {
  const rest = BigInt(bits - prefix)
  return (value >> rest) << rest
}

export const holds = (network: Network, address: Network): boolean =>
  network.bits === address.bits && masked(address, network.prefix) === network.value

/** The network of `prefix` bits that the address lies in. */
export const networkOf = (address: Network, prefix: number): Network => ({
  ...address,
  prefix,
  value: masked(address, prefix),
})

const cut = (value: bigint, width: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) =>
    Number((value >> BigInt(width * (count - 1 - n))) & ((1n << BigInt(width)) - 1n)),
  )

/** RFC 5952: lower case, no leading zeros, the longest run of at least two zero groups as `::`, the first of equals. */
function format6(value: bigint): string {
  const text = cut(value, 16, 8)
    .map((part) => part.toString(16))
    .join(':')
  const runs = text.match(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g) ?? []
  const run = runs.toSorted((a, b) => b.length - a.length)[0]
  if (!run) return text
  return text.replace(new RegExp(`(^|:)${run}(:|$)`), '::')
}

export function formatNetwork({ bits, prefix, value }: Network): string {
  const address = bits === 32 ? cut(value, 8, 4).join('.') : format6(value)
  return prefix === bits ? address : `${address}/${prefix}`
}
