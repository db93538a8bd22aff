// What a tenant may ask of whoever plays: the form of a policy, and how a session's own stands over the tenant's default.
import { z } from 'zod'
import { parseNetwork } from '../core/address.ts'

const country = z.string().regex(/^[A-Z]{2}$/, 'must be a country of ISO 3166-1, two capitals')

/** Exact origins, or `https://*.example.com` for every host below one. */
const Site = z
  .string()
  .max(253)
  .regex(/^https?:\/\/(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/, {
    error: 'must be an origin such as https://www.example.com or https://*.example.com',
    abort: true,
  })
  .refine((site) => URL.canParse(site.replace('*.', '')), 'must have a host and a port that can be')

/** CIDR, or one address. */
const Network = z
  .string()
  .max(43)
  .regex(/^[0-9a-fA-F.:]+(\/\d{1,3})?$/, { error: 'must be a network such as 203.0.113.0/24', abort: true })
  .refine((text) => parseNetwork(text), 'must be a network whose bits beyond the prefix are 0')

/**
 * Every field narrows; an absent one does not. `null` in a session's own policy takes the tenant's default away.
 * Unknown fields are refused: a restriction that is misspelled must not be lost.
 */
export const Policy = z
  .object({
    /** RFC 3339. Nothing plays before, nothing from then on. */
    notBefore: z.iso.datetime({ offset: true }).nullish(),
    notAfter: z.iso.datetime({ offset: true }).nullish(),
    /** Only from these countries; where the country is not known, nothing plays. */
    countries: z.array(country).min(1).max(250).nullish(),
    blockedCountries: z.array(country).min(1).max(250).nullish(),
    networks: z.array(Network).min(1).max(50).nullish(),
    /** Pages that the player may stand on. */
    referrers: z.array(Site).min(1).max(50).nullish(),
    /** Lines of the best rendition: its shorter side, such as 720. */
    maxResolution: z.number().int().min(1).max(8192).nullish(),
    /** Streams that one viewer may play at once, over all sessions. */
    maxStreams: z.number().int().min(1).max(100).nullish(),
    /** Clients that one session may serve at once; 1 without it. */
    maxClients: z.number().int().min(1).max(20).nullish(),
  })
  .strict()
  .meta({ id: 'Policy' })
export type Policy = z.infer<typeof Policy>

/** What holds: without nulls, each field the session's own or else the tenant's. */
export type EffectivePolicy = { readonly [K in keyof Policy]: NonNullable<Policy[K]> }

export function effectivePolicy(byDefault: Policy | undefined, own: Policy | undefined): EffectivePolicy {
  const merged = { ...byDefault, ...own }
  return Object.fromEntries(
    Object.entries(merged).filter(([, value]) => value !== null && value !== undefined),
  ) as EffectivePolicy
}
