import type { ListenTarget, TlsOptions } from '@berth/api'
import { invalid } from '@berth/base'
import { describeListener } from '@berth/linux'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from './config/config.ts'
import type { Paths } from './paths.ts'

/** Sockets that the service manager passed: one, or all of them. */
interface PassedAddress {
  readonly kind: 'passed'
  readonly fd: number | undefined
  readonly tls: TlsOptions | undefined
}

/** Throws `invalid` for an address that is none. */
export function checkAddresses(config: Config, paths: Paths): void {
  parseAddresses(config, paths)
}

/**
 * Where to serve: `-H`, else `<run root>/berth.sock`. `passed`: the descriptors that `fd://` stands for. Throws `invalid`
 * for an address that is none, and for a socket that was not passed.
 */
export function listenTargets(config: Config, paths: Paths, passed: readonly number[]): ListenTarget[] {
  const targets = parseAddresses(config, paths).flatMap((address) =>
    address.kind === 'passed' ? passedTargets(address, passed) : [address],
  )
  const fds = targets.flatMap((target) => (target.kind === 'fd' ? [target.fd] : []))
  const twice = fds.find((fd, index) => fds.indexOf(fd) < index)
  if (twice !== undefined) throw invalid(`socket activated file descriptor ${twice} is named twice`)
  return targets
}

function parseAddresses(config: Config, paths: Paths): (ListenTarget | PassedAddress)[] {
  const hosts = config.get('hosts', [] as readonly string[])
  const addresses = hosts.length > 0 ? hosts : [`unix://${join(paths.runRoot, 'berth.sock')}`]
  const tls = readTls(config)
  return addresses.map((address) => parseAddress(address, config.get('group', ''), tls))
}

function parseAddress(address: string, group: string, tls: TlsOptions | undefined): ListenTarget | PassedAddress {
  const unix = /^unix:\/\/(\/.+)$/.exec(address)?.[1]
  if (unix !== undefined) return { kind: 'unix', path: unix, ...(group ? { group } : {}) }
  const fd = /^fd:\/\/(.*)$/s.exec(address)?.[1]
  if (fd !== undefined) return { kind: 'passed', fd: parseFd(fd), tls }
  const tcp = /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/[\]]*)(?::(\d{1,5}))?$/.exec(address)
  if (!tcp) throw invalid(`invalid bind address (${address}): use unix:///path, tcp://host:port or fd://`)
  const host = (tcp[1] || '127.0.0.1').replace(/^\[|\]$/g, '')
  return { kind: 'tcp', host, port: Number(tcp[2] ?? (tls ? 2376 : 2375)), ...(tls ? { tls } : {}) }
}

/** Undefined: all of them. */
function parseFd(text: string): number | undefined {
  if (text === '' || text === '*') return undefined
  if (!/^\d{1,9}$/.test(text)) {
    throw invalid(`failed to parse systemd fd address: should be a number: ${text}`)
  }
  return Number(text)
}

/** In dockerd's words where there are none. */
function passedTargets({ fd, tls }: PassedAddress, passed: readonly number[]): ListenTarget[] {
  if (passed.length === 0) {
    throw invalid('no sockets found via socket activation: make sure the service was started by systemd')
  }
  if (fd === undefined) return passed.map((one) => passedTarget(one, tls))
  if (!passed.includes(fd)) {
    throw invalid(`too few socket activated files passed in by systemd: ${passed.join(', ')}, and no ${fd}`)
  }
  return [passedTarget(fd, tls)]
}

/** TLS is for TCP: who reaches a unix socket, its file says. */
function passedTarget(fd: number, tls: TlsOptions | undefined): ListenTarget {
  const listener = describeListener(fd)
  if (listener === undefined) {
    throw invalid(`failed to listen on systemd activated file: fd ${fd} is no stream socket that listens`)
  }
  if (listener.kind === 'unix') return { kind: 'fd', fd }
  const bound = { host: listener.address, port: listener.port }
  return { kind: 'fd', fd, bound, ...(tls ? { tls } : {}) }
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
