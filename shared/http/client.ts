// Who asks, by the headers that can be believed: the address that our own proxies wrote, the country that a proven one did.
import { formatNetwork, networkOf, parseAddress } from '../core/address.ts'
import type { Client } from '../core/client.ts'
import { constantTimeEqual } from '../core/hash.ts'

export interface ProxyTrust {
  /** Proxies that write X-Forwarded-For, each at its end. */
  readonly hops: number
  /** What only the outermost proxy can send; without it the nearest proxy alone is believed. */
  readonly proof: { readonly header: string; readonly value: string } | undefined
  readonly countryHeader: string | undefined
}

type ReadHeader = (name: string) => string | null

const userAgentMaxLength = 512
/** Codes by which databases of addresses say that they do not know: "Europe" is not a country that is not blocked. */
const noCountries = ['XX', 'ZZ', 'EU', 'AP']

export function createClients({ hops, proof, countryHeader }: ProxyTrust): (header: ReadHeader) => Client {
  const isProven = (header: ReadHeader): boolean =>
    proof !== undefined && constantTimeEqual(header(proof.header) ?? '', proof.value)

  return function read(header) {
    const proven = isProven(header)
    const address = forwardedAddress(header('x-forwarded-for') ?? '', proven ? hops : 1)
    const country = proven && countryHeader ? countryOf(header(countryHeader)) : undefined
    const site = siteOf(header('referer')) ?? siteOf(header('origin'))
    return {
      ...(address && { address: formatNetwork(address) }),
      network: address ? formatNetwork(networkOf(address, address.bits === 32 ? 24 : 64)) : 'unknown',
      userAgent: (header('user-agent') ?? '').slice(0, userAgentMaxLength),
      ...(country && { country }),
      ...(site && { site }),
    }
  }
}

/**
 * Each proxy appends the address that it saw, so what stands left of our own proxies' entries anybody could have written:
 * the one that the first of them wrote is the `hops`th from the right. A header is read from there, however long it is.
 */
function forwardedAddress(header: string, hops: number) {
  let end = header.length
  for (let hop = 1; hop < hops && end >= 0; hop++) end = header.lastIndexOf(',', end - 1)
  // `lastIndexOf` takes a negative start for 0, where a comma may stand.
  if (end <= 0) return undefined
  return addressOf(header.slice(header.lastIndexOf(',', end - 1) + 1, end).trim())
}

/** `203.0.113.9`, `203.0.113.9:4711` and `[2001:db8::1]:4711` as App Service writes them, `2001:db8::1` as Front Door does. */
function addressOf(entry: string) {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(entry)
  if (bracketed) return bracketed[1]?.includes(':') ? parseAddress(bracketed[1]) : undefined
  return parseAddress(/^([\d.]+):\d{1,5}$/.exec(entry)?.[1] ?? entry)
}

function countryOf(value: string | null): string | undefined {
  const code = value?.trim().toUpperCase() ?? ''
  return /^[A-Z]{2}$/.test(code) && !noCountries.includes(code) ? code : undefined
}

/** `null`, which stands for every page that hides, is nobody's site (RFC 6454 section 7.3). */
function siteOf(value: string | null): string | undefined {
  const start = /^https?:\/\/[^/?#]{1,300}/i.exec(value ?? '')?.[0]
  return start && URL.canParse(start) ? new URL(start).origin : undefined
}
