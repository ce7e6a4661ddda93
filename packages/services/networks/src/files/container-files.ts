import { hash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@berth/base'
import type { UpstreamServer } from '../dns/forwarder.ts'
import { buildEmbeddedResolvConf } from './embedded-resolv-conf.ts'
import { buildHosts, type HostsOptions } from './hosts-file.ts'
import { buildResolvConf, parseResolvConf } from './resolv-conf.ts'

export interface ContainerFiles {
  readonly hostsPath: string
  readonly hostnamePath: string
  readonly resolvConfPath: string
}

export function containerFiles(directory: string): ContainerFiles {
  return {
    hostsPath: join(directory, 'hosts'),
    hostnamePath: join(directory, 'hostname'),
    resolvConfPath: join(directory, 'resolv.conf'),
  }
}

/** What a container's resolver is set to; empty lists: as the host's. */
export interface ResolverSettings {
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
}

export interface FileContents extends HostsOptions, ResolverSettings {
  /** The engine's own DNS serves the container. */
  readonly usesEngineDns: boolean
  /** The container is in the host's network: it sees what the host sees. */
  readonly isHost: boolean
}

/** Writes hosts and hostname anew, and resolv.conf unless the user has edited it since it was written. */
export function writeContainerFiles(files: ContainerFiles, contents: FileContents): void {
  const copiesHosts = contents.isHost && contents.extraHosts.length === 0
  writeFileSync(files.hostsPath, copiesHosts ? readIfPresent('/etc/hosts') : buildHosts(contents), { mode: 0o644 })
  writeFileSync(files.hostnamePath, `${contents.hostname}\n`, { mode: 0o644 })
  if (!isEdited(files.resolvConfPath)) writeResolvConf(files.resolvConfPath, contents)
}

/** Makes a running container's resolv.conf name the engine's DNS, unless the user has edited it. */
export function refreshResolvConf(
  { resolvConfPath }: ContainerFiles,
  { dns, dnsSearch, dnsOptions }: ResolverSettings,
): void {
  if (isEdited(resolvConfPath)) return
  writeResolvConf(resolvConfPath, { dns, dnsSearch, dnsOptions, usesEngineDns: true, isHost: false })
}

/** Whom the engine's DNS asks for a container. */
export function upstreamOf({ dns, dnsSearch, dnsOptions }: ResolverSettings): {
  readonly servers: readonly UpstreamServer[]
  readonly hasNdots: boolean
} {
  const { servers, hasNdots } = buildEmbeddedResolvConf({ ...hostResolvConf(false), dns, dnsSearch, dnsOptions })
  return { servers, hasNdots }
}

type ResolvConfContents = ResolverSettings & Pick<FileContents, 'usesEngineDns' | 'isHost'>

function resolvConfText({ dns, dnsSearch, dnsOptions, usesEngineDns, isHost }: ResolvConfContents): string {
  const options = { ...hostResolvConf(isHost), dns, dnsSearch, dnsOptions }
  if (usesEngineDns) return buildEmbeddedResolvConf(options).text
  return buildResolvConf({ ...options, transform: isHost ? 'none' : 'legacy' })
}

function writeResolvConf(path: string, contents: ResolvConfContents): void {
  const text = resolvConfText(contents)
  // In place: it is mounted in the container.
  writeFileSync(path, text, { mode: 0o644 })
  writeFileSync(hashPath(path), digestOf(text), { mode: 0o644 })
}

const hashPath = (path: string): string => `${path}.hash`
const digestOf = (text: string): string => hash('sha256', text)

/** What the engine writes is far smaller; the container may have written any amount. */
const largestOwnBytes = 1024 * 1024

/** The file is no longer what its digest, kept beside it as Docker does, says. */
function isEdited(path: string): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return false
  if (size > largestOwnBytes) return true
  const digest = readIfPresent(hashPath(path)).replace(/^sha256:/, '')
  const text = readIfPresent(path)
  return digest !== '' && text !== '' && digest !== digestOf(text)
}

const systemdStub = '127.0.0.53'
const systemdServers = '/run/systemd/resolve/resolv.conf'

/** The host's resolv.conf; behind systemd-resolved's stub the file with the real servers. */
function hostResolvConf(isHost: boolean): { sourcePath: string; source: string } {
  const plain = { sourcePath: '/etc/resolv.conf', source: readIfPresent('/etc/resolv.conf') }
  const servers = parseResolvConf(plain.source).servers
  if (isHost || servers.length !== 1 || servers[0] !== systemdStub) return plain
  return { sourcePath: systemdServers, source: readIfPresent(systemdServers) }
}

function readIfPresent(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return ''
    throw error
  }
}
