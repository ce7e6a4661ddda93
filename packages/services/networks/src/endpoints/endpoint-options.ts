/** What `--driver-opt` of an endpoint comes to. */
export interface EndpointOptions {
  /** The interface's name inside; undefined: the next free one. */
  readonly name: string | undefined
  /** Files below /proc/sys, with the interface's name to be filled in, and what is written to them. */
  readonly sysctls: readonly { readonly path: (name: string) => string; readonly value: string }[]
  /** What is wrong, in Docker's words. */
  readonly complaints: readonly string[]
}

const nameOption = 'com.docker.network.endpoint.ifname'
const sysctlOption = 'com.docker.network.endpoint.sysctls'

export function parseEndpointOptions(options: Readonly<Record<string, string>>): EndpointOptions {
  const name = options[nameOption]
  const sysctls = (options[sysctlOption] ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map(parseSysctl)
  return {
    name,
    sysctls: sysctls.filter((sysctl) => typeof sysctl !== 'string'),
    complaints: [
      ...(name === undefined || isLinkName(name) ? [] : [`invalid interface name ${JSON.stringify(name)}`]),
      ...sysctls.filter((sysctl) => typeof sysctl === 'string'),
    ],
  }
}

/** What the kernel takes (net/core/dev.c: dev_valid_name), without what would make paths and tables unreadable. */
const isLinkName = (name: string): boolean =>
  /^[\w.-]{1,15}$/.test(name) && name !== '.' && name !== '..' && name !== 'lo'

function parseSysctl(text: string): EndpointOptions['sysctls'][number] | string {
  const [, protocol = '', kind = '', key = '', value = ''] =
    /^net\.(ipv4|ipv6|mpls)\.(\w+)\.IFNAME\.(\w+)=([^\s=]+)$/.exec(text) ?? []
  if (key === '') {
    return `unrecognised network interface sysctl '${text}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`
  }
  return { path: (name) => `/proc/sys/net/${protocol}/${kind}/${name}/${key}`, value }
}
