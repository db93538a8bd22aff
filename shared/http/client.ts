// Who asks, by the headers that can be believed: the address that our own proxies wrote, the country that a proven one did.
import { timingSafeEqual } from 'node:crypto'
import { formatNetwork, networkOf, parseAddress } from '../core/address.ts'
import type { Client } from '../core/client.ts'
import { sha256 } from '../core/hash.ts'

export interface ProxyTrust {
  /** Proxies that write X-Forwarded-For, each at its end. */
  readonly hops: number
  /** What only the outermost proxy can send; without it the nearest proxy alone is believed. */
  readonly proof: { readonly header: string; readonly value: string } | undefined
  readonly countryHeader: string | undefined
}

type ReadHeader = (name: string) => string | null

const userAgentMaxLength = 512
/** Of an IPv6 address in brackets with its port. */
const entryMaxLength = 53
const mostRemembered = 10_000
/** Codes for "unknown" in databases of addresses: "Europe" must not pass as a country that is not blocked. */
const noCountries = ['XX', 'ZZ', 'EU', 'AP']

export function createClients({ hops, proof, countryHeader }: ProxyTrust): (header: ReadHeader) => Client {
  const expected = proof && sha256(proof.value)
  const isProven = (header: ReadHeader): boolean =>
    proof !== undefined &&
    expected !== undefined &&
    timingSafeEqual(sha256(header(proof.header) ?? ''), expected)
  const placeOf = remembered(readPlace)
  const siteOf = remembered(readSite)

  return function read(header) {
    const proven = isProven(header)
    const place = placeOf(forwardedEntry(header('x-forwarded-for') ?? '', proven ? hops : 1))
    const country = proven && countryHeader ? countryOf(header(countryHeader)) : undefined
    const site = siteOf(startOf(header('referer'))) ?? siteOf(startOf(header('origin')))
    return {
      ...place,
      userAgent: (header('user-agent') ?? '').slice(0, userAgentMaxLength),
      ...(country && { country }),
      ...(site && { site }),
    }
  }
}

/** A viewer asks for segments again and again: what its headers say is read once. */
function remembered<V>(read: (text: string) => V): (text: string) => V {
  const known = new Map<string, V>()
  return (text) => {
    if (known.has(text)) return known.get(text) as V
    if (known.size >= mostRemembered) known.clear()
    const value = read(text)
    known.set(text, value)
    return value
  }
}

/**
 * Each proxy appends the address that it saw, so anybody could have written what stands left of our own proxies' entries.
 * The entry of the first of them is the `hops`th from the right; the header is read from that end, however long it is.
 */
function forwardedEntry(header: string, hops: number): string {
  let end = header.length
  for (let hop = 1; hop < hops && end > 0; hop++) end = header.lastIndexOf(',', end - 1)
  if (end <= 0) return ''
  const entry = header.slice(header.lastIndexOf(',', end - 1) + 1, end).trim()
  return entry.length <= entryMaxLength ? entry : ''
}

/** `203.0.113.9`, `203.0.113.9:4711` and `[2001:db8::1]:4711` as App Service writes them, `2001:db8::1` as Front Door does. */
function readPlace(entry: string): Pick<Client, 'address' | 'network'> {
  const [, inBrackets, withPort] =
    /^(?:\[([0-9a-f.]*:[0-9a-f:.]*)\]|([\d.]+))(?::\d{1,5})?$/i.exec(entry) ?? []
  const address = parseAddress(inBrackets ?? withPort ?? entry)
  if (!address) return { network: 'unknown' }
  const network = networkOf(address, address.bits === 32 ? 24 : 64)
  return { address: formatNetwork(address), network: formatNetwork(network) }
}

function countryOf(value: string | null): string | undefined {
  const code = value?.trim().toUpperCase() ?? ''
  return /^[A-Z]{2}$/.test(code) && !noCountries.includes(code) ? code : undefined
}

/** As far as an origin goes. */
const startOf = (value: string | null): string =>
  /^https?:\/\/[^/?#]{1,300}(?=[/?#]|$)/i.exec(value ?? '')?.[0] ?? ''

/** `null`, which stands for every page that hides, is nobody's site (RFC 6454 section 7.3). */
const readSite = (start: string): string | undefined =>
  URL.canParse(start) ? new URL(start).origin : undefined
