import type { ListenTarget, TlsOptions } from '@berth/api'
import { invalid } from '@berth/base'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config/config.ts'
import type { Paths } from './paths.ts'

/** Where to serve: `-H`, else `<run root>/berth.sock`. Throws `invalid` for an address that is none. */
export function listenTargets(config: Config, paths: Paths): ListenTarget[] {
  const hosts = config.get('hosts', [] as readonly string[])
  const addresses = hosts.length > 0 ? hosts : [`unix://${join(paths.runRoot, 'berth.sock')}`]
  const tls = readTls(config)
  return addresses.map((address) => parseTarget(address, config.get('group', ''), tls))
}

function parseTarget(address: string, group: string, tls: TlsOptions | undefined): ListenTarget {
  const unix = /^unix:\/\/(\/.+)$/.exec(address)?.[1]
  if (unix !== undefined) return { kind: 'unix', path: unix, ...(group ? { group } : {}) }
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]*)(?::(\d{1,5}))?$/.exec(address)
  if (!tcp) throw invalid(`invalid bind address (${address}): use unix:///path or tcp://host:port`)
  const host = (tcp[1] || '127.0.0.1').replace(/^\[|\]$/g, '')
  return { kind: 'tcp', host, port: Number(tcp[2] ?? (tls ? 2376 : 2375)), ...(tls ? { tls } : {}) }
}

function readTls(config: Config): TlsOptions | undefined {
  const verifiesClients = config.get('tlsverify', false)
  if (!config.get('tls', false) && !verifiesClients) return undefined
  const read = (key: string) => {
    const path = config.get(key, '')
    if (!path) throw invalid(`--${key} is needed for TLS`)
    try {
      return readFileSync(path)
    } catch (error) {
      throw invalid(`--${key}: cannot read ${path}`, error)
    }
  }
  return {
    certificate: read('tlscert'),
    key: read('tlskey'),
    ...(verifiesClients ? { clientAuthority: read('tlscacert') } : {}),
  }
}
