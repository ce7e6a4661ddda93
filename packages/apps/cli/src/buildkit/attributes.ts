import { isIP } from 'node:net'
import { messageOf } from '@berth/base'
import { formatPlatform, formatReference, hostPlatform, parsePlatform, parseReference } from '@berth/oci'
import type { BuildRequest, Output } from './build-request.ts'

/** What the engine says of itself, as far as it decides how it is asked. */
export interface EngineFacts {
  /** It attests, exports archives, and pushes by itself. */
  readonly hasSnapshotter: boolean
  /** Where `host-gateway` leads to; '' when it does not say. */
  readonly hostGateway: string
}

/** The attributes of the Dockerfile frontend that do not depend on where files come from. Pure. */
export function frontendAttributes(
  request: BuildRequest,
  facts: EngineFacts,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { call, target, noCache, noCacheFilter, platforms, shmSizeBytes, cgroupParent, ulimits } = request
  const hosts = extraHosts(request.extraHosts, facts)
  if (noCache && noCacheFilter.length > 0) {
    throw new Error('--no-cache and --no-cache-filter cannot currently be used together')
  }
  const limits = ulimits.map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`).join(',')
  return {
    ...prefixed('build-arg', request.buildArgs),
    ...prefixed('label', request.labels),
    ...attestAttributes(request, facts, env),
    ...multiPlatform(request.buildArgs),
    'image-resolve-mode': request.pull ? 'pull' : 'local',
    ...(target !== '' && { target }),
    ...(noCacheFilter.length > 0 && { 'no-cache': noCacheFilter.join(',') }),
    ...(noCache && { 'no-cache': '' }),
    ...(platforms.length > 0 && { platform: platforms.map(wholePlatform).join(',') }),
    ...networkAttributes(request.networkMode),
    ...(hosts !== '' && { 'add-hosts': hosts }),
    ...(shmSizeBytes > 0 && { 'shm-size': String(shmSizeBytes) }),
    ...(limits !== '' && { ulimit: limits }),
    ...(cgroupParent !== '' && { 'cgroup-parent': cgroupParent }),
    ...(call && { requestid: `frontend.${call.name}`, 'frontend.caps': 'moby.buildkit.frontend.subrequests+forward' }),
  }
}

/** `local` is this client's own. Throws for what is none. */
function wholePlatform(text: string): string {
  if (text === 'local') return formatPlatform(hostPlatform())
  parsePlatform(text)
  return text
}

/** What `--allow` may name; a device has a name of its own. */
const knownEntitlement = /^(network\.host|security\.insecure|device(=.*)?)$/

/** What RUN may do beyond what is usual: what was allowed, and what the options need. */
export function entitlementsOf({ entitlements, networkMode }: BuildRequest): string[] {
  const unknown = entitlements.find((name) => !knownEntitlement.test(name))
  if (unknown !== undefined) throw new Error(`unknown entitlement ${unknown}`)
  return networkMode === 'host' ? [...new Set([...entitlements, 'network.host'])] : [...entitlements]
}

const prefixed = (prefix: string, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}:${name}`, value]))

function multiPlatform({ BUILDKIT_MULTI_PLATFORM: text }: Readonly<Record<string, string>>): Record<string, string> {
  return text === undefined ? {} : { 'multi-platform': text }
}

/** Provenance is attested unless it is refused, where the engine can. */
function attestAttributes(
  { attests, call }: BuildRequest,
  { hasSnapshotter }: EngineFacts,
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const wanted = Object.entries(attests).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (wanted.length > 0 && !hasSnapshotter) {
    throw new Error('Attestation is not supported for the docker driver without the containerd image store.')
  }
  const found = Object.fromEntries(wanted.map(([type, value]) => [`attest:${type}`, value]))
  const isDefault =
    hasSnapshotter && !Object.hasOwn(attests, 'provenance') && !isTrue(env['BUILDX_NO_DEFAULT_ATTESTATIONS'])
  return isDefault && call === undefined ? { ...found, 'attest:provenance': 'mode=min,inline-only=true' } : found
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|true)$/i.test(text)
}

function networkAttributes(mode: string): Record<string, string> {
  switch (mode) {
    case '':
    case 'default':
      return {}
    case 'host':
    case 'none':
      return { 'force-network-mode': mode }
    default:
      throw new Error(
        `network mode ${JSON.stringify(mode)} not supported by buildkit - you can define a custom network for your builder using the network driver-opt in buildx create`,
      )
  }
}

function extraHosts(texts: readonly string[], { hostGateway }: EngineFacts): string {
  return texts.map((text) => extraHost(text, hostGateway)).join(',')
}

function extraHost(text: string, hostGateway: string): string {
  const mark = text.includes('=') ? '=' : ':'
  const at = text.indexOf(mark)
  const [host, given] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
  if (host === '' || given === '') throw new Error(`invalid host ${text}`)
  if (given === 'host-gateway') {
    if (hostGateway === '') throw new Error('unable to derive the IP value for host-gateway')
    return `${host}=${hostGateway}`
  }
  const address = /^\[(.+)\]$/.exec(given)?.[1] ?? given
  if (isIP(address) === 0) throw new Error(`invalid host ${text}`)
  return `${host}=${address}`
}

/** The exporters that the engine is asked for; the number of each is its place among `outputs`. */
export function exportersOf({ outputs, tags, call }: BuildRequest): Output[] {
  if (call !== undefined) return []
  const wanted = outputs.length > 0 ? outputs : [{ type: 'image', dest: '', attrs: {} }]
  const name = tags.map(wholeName).join(',')
  return wanted
    .filter(({ type }) => type !== 'cacheonly')
    .map((output) => {
      const attrs = { ...output.attrs }
      const isNamed = ['image', 'oci', 'docker'].includes(output.type)
      if (isNamed && name !== '') attrs['name'] = name
      const isHere = output.type === 'image' || (output.type === 'docker' && output.dest === '')
      requireName(output.type, attrs)
      return { ...output, type: isHere ? 'moby' : output.type, attrs }
    })
}

/** Throws in buildx's words for what is no name of an image. */
function wholeName(tag: string): string {
  if (tag === '') throw new Error('invalid tag "": repository name must have at least one component')
  try {
    return formatReference(parseReference(tag))
  } catch (error) {
    const reason = messageOf(error).replace(
      /^invalid reference format: repository name .* must be lowercase$/,
      'repository name must be lowercase',
    )
    throw new Error(`invalid tag ${JSON.stringify(tag)}: ${reason}`, { cause: error })
  }
}

function requireName(type: string, attrs: Readonly<Record<string, string>>): void {
  if (type !== 'image' || !isTrue(attrs['push'])) return
  if ((attrs['name'] ?? '') === '') throw new Error('tag is needed when pushing to registry')
  if (isTrue(attrs['push-by-digest'])) throw new Error('push-by-digest is currently not implemented for docker driver')
}
