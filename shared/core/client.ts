// Who asks, as far as headers that can be believed tell: what policies are held against, and what a lease belongs to.

export interface Client {
  /** IPv4 or IPv6 in its canonical spelling; absent when nobody who is trusted has told it. */
  readonly address?: string
  /** The /24 or /64 that the address lies in, such as `203.0.113.0/24`; `unknown` without an address. */
  readonly network: string
  /** Cut to 512 characters; empty when there is none. */
  readonly userAgent: string
  /** ISO 3166-1 alpha-2 in capitals, from a proxy that has proved itself. */
  readonly country?: string
  /** Origin of the page that asks: of `Referer`, or else `Origin`. */
  readonly site?: string
}
