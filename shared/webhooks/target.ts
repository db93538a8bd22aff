// Where a webhook may go: public addresses by https alone. Tenants name the hosts, so what is inside must be out of reach.
import { holds, type Network, parseAddress, parseNetwork } from '../core/address.ts'

/** The registries of special-purpose addresses of IANA (RFC 6890), multicast, and what answers inside of Azure. */
const closed = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // The platform's own channel to every machine in Azure: public by its number alone.
  '168.63.129.16',
  // Teredo, ORCHID and benchmarks; documentation; 6to4, which carries any IPv4 address.
  ...['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
].map(network)
/** The rest of IPv6 is not handed out, local, multicast, or carries IPv4 (NAT64). */
const global6 = network('2000::/3')
const loopbacks = ['127.0.0.0/8', '::1'].map(network)

function network(text: string): Network {
  const read = parseNetwork(text)
  if (!read) throw new Error(`${text} is not a network`)
  return read
}

export const isPublic = (address: Network): boolean =>
  (address.bits === 32 || holds(global6, address)) && !closed.some((net) => holds(net, address))

const ports = ['', '8443']
const isPlain = ({ protocol, port }: URL): boolean => protocol === 'https:' && ports.includes(port)
const urlMaxLength = 2048

/** The address that a URL itself names, whichever way it is written; the URL parser has made one spelling of them. */
export const literalOf = ({ hostname }: URL): string | undefined => {
  const text = hostname.replace(/^\[(.*)\]$/, '$1')
  return parseAddress(text) ? text : undefined
}

/** Undefined for a URL that may be registered, else a sentence that says what it must be. */
export function objectionTo(text: string, allowLocal: boolean): string | undefined {
  if (text.length > urlMaxLength) return `must have at most ${urlMaxLength} characters`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return 'must be a URL such as https://www.example.com/hooks'
  if (url.username || url.password)
    return 'must hold no user name and no password: the signature says who sends'
  if (url.hash) return 'must have no fragment'
  if (allowLocal) return undefined
  if (!isPlain(url)) return 'must begin with https and use port 443 or 8443'
  if (literalOf(url)) return 'must name its host, not an address'
  return undefined
}

/** Asked of every address at every try: a name that was public yesterday may lead inside today. */
export function mayConnect(url: URL, addressText: string, allowLocal: boolean): boolean {
  const address = parseAddress(addressText)
  if (!address) return false
  if (allowLocal && loopbacks.some((net) => holds(net, address))) return true
  return isPlain(url) && isPublic(address)
}
