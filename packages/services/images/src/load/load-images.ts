import { decompress } from '@berth/archive'
import { borrowed, fault, invalid, zeroTime } from '@berth/base'
import {
  chainIds,
  type Descriptor,
  type Digest,
  familiarString,
  type HistoryEntry,
  hostPlatform,
  matchesPlatform,
  mediaTypes,
  parsePlatform,
  platformRank,
} from '@berth/oci'
import type { Readable } from 'node:stream'
import { maxLayers } from '../add-layer.ts'
import { announce, type ImagesContext } from '../context.ts'
import { parseNewName } from '../find-image.ts'
import type { Progress } from '../images.ts'
import { blobsOfName, type ImageRecord, keyOf, type NameRecord, type StoreChange } from '../image-store.ts'
import { buildManifest } from '../new-image.ts'
import type { ImageLease } from '../reclaimer.ts'
import { unpackImage } from '../unpack-image.ts'
import { ArchiveFiles } from './archive-files.ts'
import type { Candidate } from './candidate.ts'
import { readDockerArchive } from './docker-archive.ts'
import { readLegacyArchive } from './legacy-archive.ts'
import { readOciLayout } from './oci-layout.ts'

export interface LoadOptions {
  readonly quiet: boolean
  readonly platform?: string
}

/**
 * Loads the images of an archive: its blobs first, then the unpacked layers, and last, in one transaction, the images
 * with their names. What fails before that leaves nothing that an image refers to.
 */
export async function loadImages(
  context: ImagesContext,
  archive: Readable,
  { quiet, platform }: LoadOptions,
  progress: Progress,
): Promise<void> {
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  using source = borrowed(archive)
  await context.space.require('loading an image')
  using lease = await context.reclaimer.lease()
  const files = new ArchiveFiles(context.content, lease)
  await files.read(decompress(source))
  fault('load: read')
  const candidates = (await readCandidates(context, files)).filter(
    ({ config }) => !wanted || matchesPlatform(wanted, config),
  )
  const loaded: Loaded[] = []
  for (const candidate of candidates) {
    loaded.push(await admit(context, lease, candidate, quiet ? undefined : progress))
  }
  fault('load: unpacked')
  finish(context, withParents(context, loaded), progress)
}

async function readCandidates(context: ImagesContext, files: ArchiveFiles): Promise<Candidate[]> {
  if (files.has('manifest.json')) return await readDockerArchive(context, files)
  if (files.has('index.json')) return await readOciLayout(files)
  if (files.has('repositories')) return await readLegacyArchive(context, files)
  throw invalid('not an image archive: it has none of manifest.json, index.json and repositories')
}

interface Loaded {
  readonly image: ImageRecord
  readonly candidate: Candidate
}

/** Stores the documents of one image and unpacks it, if it is one that this host runs or the only one. */
async function admit(
  context: ImagesContext,
  lease: ImageLease,
  candidate: Candidate,
  progress: Progress | undefined,
): Promise<Loaded> {
  const { config, configBytes, layers } = candidate
  if (config.os !== 'linux') throw invalid(`cannot load ${config.os} image on linux`)
  if (layers.length > maxLayers) throw invalid('max depth exceeded')
  for (const reference of candidate.references) parseNewName(familiarString(reference))
  const id = lease.broughtBlob(await context.content.put(configBytes))
  const manifest = await storeManifest(context, lease, candidate)
  if (layers.length > 0) lease.broughtChain(chainIds(config.rootfs.diff_ids))
  const known = context.store.images.get(id)
  const fresh: ImageRecord = { id, manifest, config, layers, parent: '', lastTaggedAt: zeroTime }
  const image = known ?? fresh
  const isForeign = candidate.index !== undefined && platformRank(hostPlatform(), config) === undefined
  return { candidate, image: isForeign ? image : await unpackImage(context, image, { progress, areFresh: true }) }
}

async function storeManifest({ content }: ImagesContext, lease: ImageLease, candidate: Candidate): Promise<Descriptor> {
  const bytes = candidate.manifest?.bytes ?? buildManifest(candidate.configBytes, candidate.layers).bytes
  const digest = lease.broughtBlob(await content.put(bytes))
  const mediaType = candidate.manifest?.descriptor.mediaType ?? mediaTypes.manifest
  return { mediaType, digest, size: bytes.length }
}

/** A parent counts when it came along and its history is the child's but for one step. */
function withParents(context: ImagesContext, loaded: readonly Loaded[]): Loaded[] {
  const here = new Map(loaded.map(({ image }) => [image.id, image]))
  return loaded.map(({ image, candidate }) => {
    const parent = candidate.parent && here.get(candidate.parent)
    const isNew = !context.store.images.has(image.id)
    if (!parent || !isNew || !continues(image.config.history ?? [], parent.config.history ?? []))
      return { image, candidate }
    return { candidate, image: { ...image, parent: parent.id } }
  })
}

function continues(child: readonly HistoryEntry[], parent: readonly HistoryEntry[]): boolean {
  if (child.length === 0 && parent.length === 0) return true
  if (child.length !== parent.length + 1) return false
  return JSON.stringify(child.slice(0, -1)) === JSON.stringify(parent)
}

function finish(context: ImagesContext, loaded: readonly Loaded[], progress: Progress): void {
  const names = collectNames(context, loaded)
  const replaced = new Map([...names].map(([key]) => [key, context.store.names.get(key)]))
  context.store.commit([
    ...loaded.map(({ image }): StoreChange => ({ kind: 'putImage', image: refreshed(context, image) })),
    ...names.values().map((name): StoreChange => ({ kind: 'putName', name })),
  ])
  for (const [key, name] of names) reportName(name, replaced.get(key), progress)
  if (names.size === 0 && loaded.length > 0)
    progress({ stream: loaded.map(({ image }) => `Loaded image ID: ${image.id}\n`).join('') })
  for (const { image } of loaded) announce(context, 'load', image.id)
  for (const old of replaced.values()) if (old) context.reclaimer.offerBlobs(blobsOfName(old))
}

/** An image that was here may have been tagged while its archive was read. */
function refreshed({ store }: ImagesContext, image: ImageRecord): ImageRecord {
  const { layerSizes } = image
  return { ...image, ...store.images.get(image.id), ...(layerSizes && { layerSizes }) }
}

/** One name may stand for several images of an index, this host's first; of two images the later takes it. */
function collectNames(context: ImagesContext, loaded: readonly Loaded[]): Map<string, NameRecord> {
  const names = new Map<string, NameRecord>()
  for (const { image, candidate } of loaded) {
    for (const reference of candidate.references) {
      const target = candidate.index ?? image.manifest
      const before = names.get(keyOf(reference))
      const siblings = candidate.index && before?.target.digest === target.digest ? before.images : []
      const known = context.store.names.get(keyOf(reference))
      const blobs = known?.target.digest === target.digest ? known.blobs : undefined
      const record = { reference, target, images: unique([...siblings, image.id]), ...(blobs && { blobs }) }
      names.set(keyOf(reference), record)
    }
  }
  return names
}

const unique = (ids: readonly Digest[]): Digest[] => [...new Set(ids)]

function reportName({ reference, images }: NameRecord, before: NameRecord | undefined, progress: Progress): void {
  const text = familiarString(reference)
  const old = before?.images[0]
  if (old !== undefined && old !== images[0]) {
    progress({
      stream: `The image ${text} already exists, renaming the old one with ID ${old} to empty string\n`,
    })
  }
  progress({ stream: `Loaded image: ${text}\n` })
}
