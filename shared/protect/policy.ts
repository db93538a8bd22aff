// Whether a policy lets somebody play now: every field must hold, and a fact that it asks for and nobody knows does not.
import { holds, type Network, parseAddress, parseNetwork } from '../core/address.ts'
import type { Client } from '../core/client.ts'
import type { EffectivePolicy } from '../tenants/policy.ts'

export interface Facts {
  readonly client: Client
  /** Where the edge has not told it: what was looked up by the address. */
  readonly country?: string | undefined
  readonly nowMs: number
}

export function allows(policy: EffectivePolicy, { client, country, nowMs }: Facts): boolean {
  const { countries, blockedCountries, networks, referrers } = policy
  const here = client.country ?? country
  return (
    inTime(policy, nowMs) &&
    (!countries || (here !== undefined && countries.includes(here))) &&
    (!blockedCountries || (here !== undefined && !blockedCountries.includes(here))) &&
    (!networks || isWithin(networks, client.address)) &&
    (!referrers || standsOn(referrers, client.site))
  )
}

/** Whether the country must be known: then a lookup is worth its time. */
const asksForCountry = ({ countries, blockedCountries }: EffectivePolicy): boolean =>
  countries !== undefined || blockedCountries !== undefined

/** Where an address is, for policies that ask for it where no proxy has told. */
export type CountryOf = (address: string) => Promise<string | undefined>

export async function letsIn(
  policy: EffectivePolicy,
  { client, nowMs, countryOf }: { client: Client; nowMs: number; countryOf?: CountryOf | undefined },
): Promise<boolean> {
  const asks = client.country === undefined && client.address !== undefined && asksForCountry(policy)
  const country = asks ? await countryOf?.(client.address ?? '') : undefined
  return allows(policy, { client, country, nowMs })
}

/** Written so that a time which is no time refuses. */
const inTime = ({ notBefore, notAfter }: EffectivePolicy, nowMs: number): boolean =>
  (notBefore === undefined || nowMs >= Date.parse(notBefore)) &&
  (notAfter === undefined || nowMs < Date.parse(notAfter))

/** By the list itself, which lives as long as the session that is held in memory. */
const parsed = new WeakMap<readonly string[], readonly Network[]>()

function isWithin(networks: readonly string[], text: string | undefined): boolean {
  const address = text === undefined ? undefined : parseAddress(text)
  if (!address) return false
  let list = parsed.get(networks)
  if (!list) {
    list = networks.map(parseNetwork).filter((network) => network !== undefined)
    parsed.set(networks, list)
  }
  return list.some((network) => holds(network, address))
}

/** `https://*.example.com` is every host below example.com, on the same scheme and port, and not example.com itself. */
function standsOn(referrers: readonly string[], site: string | undefined): boolean {
  if (site === undefined) return false
  return referrers.some((referrer) => {
    const [scheme = '', parent] = referrer.split('//*.')
    // As browsers write origins: without the port that the scheme implies.
    if (parent === undefined) return originOf(referrer) === site
    const ofParent = originOf(`${scheme}//${parent}`)?.slice(scheme.length + 2)
    return ofParent !== undefined && site.startsWith(`${scheme}//`) && site.endsWith(`.${ofParent}`)
  })
}

const originOf = (text: string): string | undefined => (URL.canParse(text) ? new URL(text).origin : undefined)
