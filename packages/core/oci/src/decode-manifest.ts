import { invalid } from '@berth/base'
import {
  array,
  integer,
  member,
  object,
  optional,
  parseJson,
  type Place,
  record,
  refuse,
  size,
  string,
} from './decode.ts'
import { type Digest, isDigest } from './digest.ts'
import type { Descriptor, Index, Manifest, Platform } from './image-config.ts'
import { isIndexType, isManifestType, isSchema1Type } from './media-types.ts'

/** Bytes that a manifest or an index may have: what registries accept. */
export const maxManifestBytes = 4 * 1024 * 1024

/** A decoded manifest or index. */
export type Document =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index }

/**
 * Decodes a manifest or an index by what it holds, and refuses what could be read as both (GHSA-77vh-xpmg-72qh) or
 * whose content disagrees with its `mediaType`. Throws `invalid` naming the field.
 */
export function decodeDocument(bytes: Uint8Array | string, mediaType?: string): Document {
  const place = parseBounded(bytes, 'manifest')
  const fields = object(place)
  if (fields['schemaVersion'] === 1 || isSchema1Type(mediaType ?? '') || isSchema1Type(textOf(fields['mediaType']))) {
    throw invalid(
      'manifest: Docker manifest version 2 schema 1 is not supported: the image must be pushed again as schema 2 or OCI',
    )
  }
  const isManifest = fields['layers'] !== undefined || fields['config'] !== undefined
  const isIndex = fields['manifests'] !== undefined
  if (isManifest && isIndex)
    throw invalid('manifest: has both layers and manifests: it could be read as two different images')
  if (!isManifest && !isIndex) throw invalid('manifest: has neither layers nor manifests')
  checkMediaType(member(place, 'mediaType'), isIndex)
  if (mediaType !== undefined) checkMediaType({ path: 'media type of the manifest', value: mediaType }, isIndex)
  return isIndex ? { kind: 'index', index: toIndex(place) } : { kind: 'manifest', manifest: toManifest(place) }
}

export function decodeManifest(bytes: Uint8Array | string): Manifest {
  const document = decodeDocument(bytes)
  if (document.kind === 'index') throw invalid('manifest: is an index, expected the manifest of one image')
  return document.manifest
}

export function decodeIndex(bytes: Uint8Array | string): Index {
  const document = decodeDocument(bytes)
  if (document.kind === 'manifest') throw invalid('index: is the manifest of one image')
  return document.index
}

function parseBounded(bytes: Uint8Array | string, what: string): Place {
  if (bytes.length > maxManifestBytes) throw invalid(`${what}: larger than ${maxManifestBytes} bytes`)
  return parseJson(bytes, what)
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function checkMediaType(place: Place, isIndex: boolean): void {
  if (place.value === undefined) return
  const text = string(place)
  const disagrees = isIndex ? isManifestType(text) : isIndexType(text)
  if (disagrees)
    throw invalid(`${place.path}: ${text} does not fit the document, which is ${isIndex ? 'an index' : 'a manifest'}`)
}

function schemaVersion(place: Place): 2 {
  const at = member(place, 'schemaVersion')
  return integer(at) === 2 ? 2 : refuse(at, '2')
}

function common(place: Place) {
  return {
    ...optional(place, 'mediaType', string),
    ...optional(place, 'artifactType', string),
    ...optional(place, 'subject', toDescriptor),
    ...optional(place, 'annotations', toAnnotations),
  }
}

function toManifest(place: Place): Manifest {
  const layers = member(place, 'layers')
  return {
    schemaVersion: schemaVersion(place),
    ...common(place),
    config: toDescriptor(member(place, 'config')),
    layers: layers.value === undefined ? [] : array(layers, toDescriptor),
  }
}

function toIndex(place: Place): Index {
  return {
    schemaVersion: schemaVersion(place),
    ...common(place),
    manifests: array(member(place, 'manifests'), toDescriptor),
  }
}

function toDescriptor(place: Place): Descriptor {
  return {
    mediaType: string(member(place, 'mediaType')),
    digest: toDigest(member(place, 'digest')),
    size: size(member(place, 'size')),
    ...optional(place, 'urls', (at) => array(at, string)),
    ...optional(place, 'annotations', toAnnotations),
    ...optional(place, 'data', string),
    ...optional(place, 'platform', toPlatform),
    ...optional(place, 'artifactType', string),
  }
}

const toAnnotations = (place: Place): Record<string, string> => record(place, string)

export function toDigest(place: Place): Digest {
  const text = string(place)
  return isDigest(text) ? text : refuse(place, 'a digest')
}

/** In the order of the specification, which is that of documents that show it again. */
function toPlatform(place: Place): Platform {
  return {
    architecture: string(member(place, 'architecture')),
    os: string(member(place, 'os')),
    ...optional(place, 'os.version', string),
    ...optional(place, 'os.features', (at) => array(at, string)),
    ...optional(place, 'variant', string),
  }
}
