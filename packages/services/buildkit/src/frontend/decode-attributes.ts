import { invalid } from '@berth/base'
import { type AttestationWishes, decodeAttestations } from '../attest/decode-attestations.ts'
import type { BuildRequest, Entitlement } from '@berth/builder'
import { formatPlatform, normalizePlatform, parsePlatform } from '@berth/oci'

export type Attributes = Readonly<Record<string, string>>

/** What a client asks of the Dockerfile frontend: github.com/moby/buildkit/frontend/dockerui, attributes. */
export interface FrontendRequest extends Pick<
  BuildRequest,
  'args' | 'labels' | 'target' | 'noCache' | 'pulls' | 'run'
> {
  /** One after the other as they were asked for; '' is this host's. */
  readonly platforms: readonly string[]
  /** The result is a map of them, though there were one only. */
  readonly isMultiPlatform: boolean
  /** Path of the Dockerfile, in the tree that it is in. */
  readonly filename: string
  /** The client's directory that the Dockerfile is in, where it is not in the context. */
  readonly dockerfileDirectory: string | undefined
  /** A URL; undefined is the client's directory. */
  readonly context: string | undefined
  /** `--build-context`, as they are written. */
  readonly namedContexts: ReadonlyMap<string, string>
  /** Sessions that have a directory, where it is not the build's own. */
  readonly sessionOf: ReadonlyMap<string, string>
  readonly attestations: AttestationWishes
  /** `frontend.lint` and the like: what is wanted instead of a build; '' is a build. */
  readonly requestId: string
}

const defaultShmBytes = 64 << 20

/** Reads the attributes; throws `invalid` for what is not done. */
export function decodeAttributes(attributes: Attributes): FrontendRequest {
  const get = (name: string): string => attributes[name] ?? ''
  return {
    filename: get('filename') || 'Dockerfile',
    dockerfileDirectory: attributes['dockerfilekey'],
    context: attributes['context'],
    namedContexts: new Map(prefixed(attributes, 'context:')),
    sessionOf: new Map(prefixed(attributes, 'local-sessionid:')),
    requestId: get('requestid'),
    attestations: decodeAttestations(attributes),
    args: Object.fromEntries(prefixed(attributes, 'build-arg:')),
    labels: Object.fromEntries(prefixed(attributes, 'label:')),
    target: get('target'),
    ...platformsOf(attributes),
    noCache: stagesWithoutCache(attributes['no-cache']),
    pulls: resolveMode(get('image-resolve-mode')),
    run: {
      network: networkMode(get('force-network-mode')),
      extraHosts: csv(get('add-hosts')).map((host) => host.replace('=', ':')),
      shmSizeBytes: size(get('shm-size')),
      ulimits: csv(get('ulimit')).map(parseUlimit),
      cgroupParent: get('cgroup-parent'),
      resources: {},
    },
  }
}

/** Attributes of one kind: names without the prefix, and values. */
const prefixed = (attributes: Attributes, prefix: string): [string, string][] =>
  Object.entries(attributes).flatMap(([name, value]) =>
    name.startsWith(prefix) ? [[name.slice(prefix.length), value] as [string, string]] : [],
  )

const csv = (text: string): string[] => text.split(',').filter(Boolean)

/** As many are built at a time. */
const maxPlatforms = 20

/** Each once, in canonical words. Throws `invalid` for what is none. */
function platformsOf(attributes: Attributes): Pick<FrontendRequest, 'platforms' | 'isMultiPlatform'> {
  const wanted = csv(attributes['platform'] ?? '').map((text) => formatPlatform(normalizePlatform(parsePlatform(text))))
  const platforms = [...new Set(wanted)]
  if (platforms.length > maxPlatforms) throw invalid(`more than ${maxPlatforms} platforms in one build`)
  const isMultiPlatform = multiPlatform(attributes['multi-platform']) || platforms.length > 1
  return { platforms: platforms.length === 0 ? [''] : platforms, isMultiPlatform }
}

function multiPlatform(text = 'false'): boolean {
  if (!/^(?:1|t|true|0|f|false)$/i.test(text)) throw invalid(`invalid boolean value for multi-platform: ${text}`)
  return /^(?:1|t)/i.test(text)
}

/** '' is all of them. */
function stagesWithoutCache(text: string | undefined): boolean | readonly string[] {
  if (text === undefined) return false
  return text === '' ? true : csv(text).map((name) => name.toLowerCase())
}

function resolveMode(mode: string): boolean {
  if (!['', 'default', 'local', 'pull'].includes(mode)) throw invalid(`invalid image-resolve-mode: ${mode}`)
  return mode === 'pull'
}

function networkMode(mode: string): string {
  if (!['', 'sandbox', 'none', 'host'].includes(mode)) throw invalid(`unsupported network mode ${JSON.stringify(mode)}`)
  return mode === '' || mode === 'sandbox' ? 'default' : mode
}

function size(text: string): number {
  if (text !== '' && !/^\d{1,15}$/.test(text)) throw invalid(`invalid shm-size: ${JSON.stringify(text)}`)
  return Number(text) || defaultShmBytes
}

function parseUlimit(text: string): BuildRequest['run']['ulimits'][number] {
  const [, name, soft, hard] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? []
  if (name === undefined) throw invalid(`invalid ulimit: ${JSON.stringify(text)}`)
  return { name, soft: Number(soft), hard: Number(hard ?? soft) }
}

/** What a client grants; throws in BuildKit's words for what no build gets. */
export function decodeEntitlements(names: readonly string[], grantable: readonly Entitlement[]): Entitlement[] {
  return names.map((name) => {
    const granted = grantable.find((one) => one === name)
    if (!granted) {
      throw invalid(`granting entitlement ${name} is not allowed by build daemon configuration`)
    }
    return granted
  })
}
