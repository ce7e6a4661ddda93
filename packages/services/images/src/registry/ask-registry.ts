import { invalid } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import {
  decodeDocument,
  decodeImageConfig,
  type Descriptor,
  isConfigType,
  maxConfigBytes,
  parseAnyReference,
  parseReference,
  type Platform,
  withDefaultTag,
} from '@berth/oci'
import type { SearchResult } from '@berth/registry'
import { explainAnswer } from '../pull/explain.ts'
import type { Transfers } from '../pull/transfers.ts'

/** What a registry says of a name, without anything being pulled. */
export interface Distribution {
  readonly descriptor: Descriptor
  readonly platforms: readonly Platform[]
}

export interface RegistryQuestion {
  readonly auth?: AuthConfig
  readonly signal?: AbortSignal
}

/** Whether a registry takes the credentials; resolves with the identity token that it gives, or ''. */
export async function checkCredentials(
  { registries }: Transfers,
  auth: AuthConfig,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return (await registries.login(domainOfAddress(auth.serveraddress ?? ''), auth, signal)).identityToken
  } catch (error) {
    throw explainAnswer(error)
  }
}

/** `https://index.docker.io/v1/`, the name of old for Docker Hub, and any other address without scheme and path. */
export function domainOfAddress(address: string): string {
  const host = address.replace(/^https?:\/\//, '').replace(/\/[^]*$/, '')
  if (host === '' || host === 'index.docker.io' || host === 'docker.io') return 'docker.io'
  return parseReference(`${host}/x`).domain
}

export async function askDistribution(
  { registries }: Transfers,
  name: string,
  { auth, signal }: RegistryQuestion,
): Promise<Distribution> {
  const reference = parseAnyReference(name)
  if (typeof reference === 'string') throw invalid('no manifest found for full image ID')
  const { domain, path, tag, digest } = withDefaultTag(reference)
  const repository = registries.repository({ domain, path }, auth)
  try {
    const { descriptor, bytes } = await repository.manifest(digest ?? tag ?? 'latest', signal)
    const document = decodeDocument(bytes)
    if (document.kind === 'index') {
      return { descriptor, platforms: document.index.manifests.flatMap(({ platform }) => platform ?? []) }
    }
    const { config } = document.manifest
    if (!isConfigType(config.mediaType)) return { descriptor, platforms: [] }
    return { descriptor, platforms: [platformOf(await repository.readBlob(config.digest, maxConfigBytes, signal))] }
  } catch (error) {
    throw explainAnswer(error)
  }
}

function platformOf(bytes: Buffer): Platform {
  const { os, architecture, variant, ...rest } = decodeImageConfig(bytes)
  const [version, features] = [rest['os.version'], rest['os.features']]
  return {
    architecture,
    os,
    ...(version && { 'os.version': version }),
    ...(features && { 'os.features': features }),
    ...(variant && { variant }),
  }
}

export interface SearchWish extends RegistryQuestion {
  /** May begin with a registry: `host/term`. */
  readonly term: string
  readonly limit: number
}

export async function searchRegistry(
  { registries }: Transfers,
  { term, limit, auth }: SearchWish,
): Promise<SearchResult[]> {
  if (term.includes('://')) {
    throw invalid(`invalid repository name: repository name (${term}) should not have a scheme`)
  }
  const { domain, rest } = splitTerm(term)
  try {
    return await registries.search(domain, { term: rest, limit }, auth)
  } catch (error) {
    throw explainAnswer(error)
  }
}

/** A first component is a registry when it looks like a host. */
function splitTerm(term: string): { domain: string; rest: string } {
  const slash = term.indexOf('/')
  const first = term.slice(0, Math.max(slash, 0))
  const isHost = first === 'localhost' || /[.:]/.test(first)
  if (!isHost) return { domain: 'docker.io', rest: term.replace(/^library\//, '') }
  return { domain: domainOfAddress(first), rest: term.slice(slash + 1) }
}
