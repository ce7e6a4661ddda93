/** What a container's /etc/hosts is made from. */
export interface HostsOptions {
  readonly hostname: string
  readonly domainname: string
  /** The container's own addresses, for its own names. */
  readonly addresses: readonly string[]
  /** [name, address] */
  readonly extraHosts: readonly (readonly [string, string])[]
}

const localNames = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::	ip6-localnet
ff00::	ip6-mcastprefix
ff02::1	ip6-allnodes
ff02::2	ip6-allrouters
`

/** The text of /etc/hosts, byte for byte as Docker 28 writes it. */
export function buildHosts(options: HostsOptions): string {
  const extra = options.extraHosts.map(([name, address]) => `${address}\t${name}\n`)
  const own = options.addresses.map((address) => `${address}\t${ownNames(options)}\n`)
  return localNames + extra.join('') + own.join('')
}

/** The full name, and the bare host name where the full one has more. The domain may come in either field. */
export function ownNames({ hostname, domainname }: Pick<HostsOptions, 'hostname' | 'domainname'>): string {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`
  const dot = full.indexOf('.')
  return dot < 0 ? full : `${full} ${full.slice(0, dot)}`
}

/** Splits `name:address` (or `name=address`) at the first separator: an IPv6 address has colons. */
export function parseExtraHost(text: string): readonly [string, string] | undefined {
  const [, name, address] = /^([^:=]+)[:=](.+)$/.exec(text) ?? []
  if (name === undefined || address === undefined) return undefined
  return [name, address.replace(/^\[(.*)\]$/, '$1')]
}
