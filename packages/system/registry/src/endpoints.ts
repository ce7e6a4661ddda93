import { BlockList, isIP } from 'node:net'
import type { RegistrySettings } from './settings.ts'

/** One place where a registry may answer. */
export interface Endpoint {
  /** `https://host[:port]` and a mirror's prefix, no slash at the end. */
  readonly base: string
  readonly isMirror: boolean
  /** Whether its certificate must be good. */
  readonly verifiesTls: boolean
}

/** The host that serves docker.io. */
const hubHost = 'registry-1.docker.io'

/**
 * Where to ask for what is in `domain`, best first: mirrors for what is read, then the host itself; by plain HTTP only
 * where it is insecure.
 */
export function planEndpoints(
  domain: string,
  {
    mirrors,
    isInsecure,
    writes = false,
  }: { mirrors: RegistrySettings['mirrors']; isInsecure: boolean; writes?: boolean },
): Endpoint[] {
  const host = domain === 'docker.io' ? hubHost : domain
  const own = mirrors.filter((mirror) => mirror.domain === domain && !writes)
  return [
    ...own.map(({ url }) => ({ base: url.replace(/\/+$/, ''), isMirror: true, verifiesTls: true })),
    { base: `https://${host}`, isMirror: false, verifiesTls: !isInsecure },
    ...(isInsecure ? [{ base: `http://${host}`, isMirror: false, verifiesTls: false }] : []),
  ]
}

/** `[::1]:5000` is the host `::1`. */
export function hostOf(domain: string): string {
  return domain.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
}

/** Whether `domain`, whose host has `addresses`, is among the insecure; loopback always is. */
export function isInsecureHost(domain: string, addresses: readonly string[], insecure: readonly string[]): boolean {
  const host = hostOf(domain)
  if (host === 'localhost' || insecure.includes(domain) || insecure.includes(host)) return true
  const blocks = new BlockList()
  blocks.addSubnet('127.0.0.0', 8)
  blocks.addAddress('::1', 'ipv6')
  for (const text of insecure) addNetwork(blocks, text)
  const all = isIP(host) ? [host] : addresses
  return all.some((address) => blocks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
}

function addNetwork(blocks: BlockList, text: string): void {
  const [, address = '', length = ''] = /^([0-9a-fA-F.:]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = isIP(address)
  if (family === 0 || Number(length) > (family === 4 ? 32 : 128)) return
  blocks.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6')
}

/** Whether the answer needs the addresses that the host has. */
export const dependsOnAddresses = (domain: string): boolean => isIP(hostOf(domain)) === 0
