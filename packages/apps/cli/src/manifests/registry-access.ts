import { isKind, messageOf } from '@berth/base'
import {
  decodeDocument,
  decodeImageConfig,
  type Document,
  formatReference,
  isDigest,
  maxConfigBytes,
  mediaTypes,
  parseReference,
  type Platform,
  type Reference,
  withDefaultTag,
} from '@berth/oci'
import { createRegistries, defaultSettings, type Registries, type Repository } from '@berth/registry'
import type { Cli } from '../cli.ts'
import { findCredentials } from '../credentials/registry-auth.ts'
import { serverOf } from '../credentials/server.ts'
import type { ManifestEntry } from './entry.ts'

/** The registries, by the client itself: manifest lists are made without an engine. */
export interface RegistryAccess extends Disposable {
  repository(reference: Reference): Promise<Repository>
}

export function openRegistryAccess(cli: Cli, { insecure }: { readonly insecure: boolean }): RegistryAccess {
  const opened: Registries[] = []
  return {
    async repository(reference) {
      const registries = createRegistries({
        ...defaultSettings,
        certificateDirectories: ['/etc/berth/certs.d', '/etc/docker/certs.d'],
        insecure: insecure ? [reference.domain] : [],
        proxies: proxiesOf(cli.env),
        attempts: 2,
      })
      opened.push(registries)
      return registries.repository(reference, await findCredentials(cli, serverOf(reference.domain)))
    },
    [Symbol.dispose]: () => opened.forEach((registries) => registries[Symbol.dispose]()),
  }
}

function proxiesOf(env: Cli['env']): { http: string; https: string; no: string } {
  const variable = (name: string): string => env[name] || env[name.toLowerCase()] || ''
  return { http: variable('HTTP_PROXY'), https: variable('HTTPS_PROXY'), no: variable('NO_PROXY') }
}

/** With the tag that it means; `what` begins the message about one that is none. */
export function toReference(text: string, what = ''): Reference {
  try {
    return withDefaultTag(parseReference(text))
  } catch (error) {
    throw new Error(`${what}${messageOf(error)}`, { cause: error })
  }
}

export interface Fetched {
  readonly document: Document
  readonly bytes: Buffer
  readonly mediaType: string
  readonly digest: string
}

export async function fetchDocument(repository: Repository, reference: Reference): Promise<Fetched> {
  try {
    const { bytes, descriptor } = await repository.manifest(reference.digest ?? reference.tag ?? 'latest')
    const document = decodeDocument(bytes, descriptor.mediaType)
    return { document, bytes, mediaType: descriptor.mediaType, digest: descriptor.digest }
  } catch (error) {
    // docker's words; the registry's own vary.
    if (isKind(error, 'notFound')) throw new Error(`no such manifest: ${formatReference(reference)}`, { cause: error })
    throw error
  }
}

/** An image as an entry of a list, with the platform that its configuration names. */
export async function fetchEntry(repository: Repository, reference: Reference, name: string): Promise<ManifestEntry> {
  const { document, bytes, mediaType, digest } = await fetchDocument(repository, reference)
  if (document.kind === 'index' || !isDigest(digest)) throw new Error(`${name} is a manifest list`)
  const { manifest } = document
  const config = decodeImageConfig(await repository.readBlob(manifest.config.digest, maxConfigBytes))
  const parsed = JSON.parse(bytes.toString()) as ManifestEntry['OCIManifest']
  return {
    Ref: name,
    Descriptor: { mediaType, digest, size: bytes.length, platform: platformOf(config) },
    Raw: bytes.toString('base64'),
    ...(mediaType === mediaTypes.manifest ? { OCIManifest: parsed } : { SchemaV2Manifest: parsed }),
  }
}

/** In docker's order of members. */
function platformOf(config: Platform): Platform {
  return {
    architecture: config.architecture,
    os: config.os,
    ...(config['os.version'] && { 'os.version': config['os.version'] }),
    ...(config['os.features'] && { 'os.features': config['os.features'] }),
    ...(config.variant && { variant: config.variant }),
  }
}
