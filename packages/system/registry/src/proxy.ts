import { BlockList, isIP } from 'node:net'
import type { Proxies } from './settings.ts'

/** The proxy for `url`, or undefined; the rules are those of https://pkg.go.dev/golang.org/x/net/http/httpproxy. */
export function planProxy(url: URL, proxies: Proxies): string | undefined {
  const proxy = url.protocol === 'https:' ? proxies.https : proxies.http
  if (proxy === '' || isExempt(url, proxies.no)) return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

function isExempt(url: URL, no: string): boolean {
  const host = url.hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()
  if (host === 'localhost' || isLoopback(host)) return true
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return no.split(',').some((rule) => matches(rule.trim().toLowerCase(), host, port))
}

function isLoopback(host: string): boolean {
  return (isIP(host) === 4 && host.startsWith('127.')) || host === '::1'
}

/** What the environment says; both cases of a name are known, as to Go's programs. */
export function proxiesOf(env: Readonly<Record<string, string | undefined>>): Proxies {
  const variable = (name: string) => env[name] || env[name.toLowerCase()] || ''
  return { http: variable('HTTP_PROXY'), https: variable('HTTPS_PROXY'), no: variable('NO_PROXY') }
}

/** One entry of NO_PROXY: `*`, an address, a network, a name (with its subdomains), `.name` (these only); a port narrows. */
function matches(rule: string, host: string, port: string): boolean {
  if (rule === '') return false
  if (rule === '*') return true
  if (rule.includes('/')) return inNetwork(rule, host)
  const [, name = '', itsPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(rule) === 6 ? `[${rule}]` : rule) ?? []
  if (itsPort !== undefined && itsPort !== port) return false
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*/, '')
  if (isIP(bare)) return bare === host
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`)
}

function inNetwork(rule: string, host: string): boolean {
  const [address = '', length = ''] = rule.split('/')
  const family = isIP(address)
  if (family === 0 || isIP(host) !== family || !/^\d{1,3}$/.test(length)) return false
  if (Number(length) > (family === 4 ? 32 : 128)) return false
  const block = new BlockList()
  block.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6')
  return block.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
