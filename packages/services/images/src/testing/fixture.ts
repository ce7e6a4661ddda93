import { type TarEntry, tarEntry, type TarSource, writeTar } from '@berth/archive'
import { silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import { type Digest, type ImageConfig, sha256 } from '@berth/oci'
import { openContentStore } from '@berth/storage'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import type { ImageUse } from '../images.ts'
import { type ImagesOptions, openImages } from '../open-images.ts'
import { FakeSnapshots } from './fake-snapshots.ts'

/** Memory where there is some: a test need not wait for a disk to sync. */
const temporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** An image service on a directory of its own, with snapshots that only count. */
export async function setUp(t: TestContext, options: Pick<ImagesOptions, 'registries' | 'gate' | 'concurrency'> = {}) {
  const root = mkdtempSync(join(temporary, 'berth-images-'))
  const database = openDatabase(join(root, 'state.db'))
  const content = await openContentStore({ root, logger: silentLogger })
  const snapshots = new FakeSnapshots()
  const events = createEvents()
  const services = { ...options, database, content, snapshots, events, logger: silentLogger }
  const images = await openImages(services)
  const uses: ImageUse[] = []
  images.onUseQuery(() => uses)
  t.after(async () => {
    await images[Symbol.asyncDispose]()
    database[Symbol.dispose]()
    rmSync(root, { recursive: true })
  })
  const messages: Readonly<Record<string, unknown>>[] = []
  return {
    ...services,
    root,
    images,
    uses,
    reopen: () => openImages(services),
    /** Loads and returns what the stream said, without the newlines. */
    load: async (
      archive: Iterable<Buffer> | AsyncIterable<Buffer>,
      options: { quiet?: boolean; platform?: string } = {},
    ) => {
      const said: string[] = []
      const { quiet = true, ...rest } = options
      await images.load(Readable.from(archive, { objectMode: false }), { quiet, ...rest }, (message) => {
        messages.push(message)
        if (message['stream']) said.push(String(message['stream']).trimEnd())
      })
      return said
    },
    messages,
    /** `action name` of every image event so far. */
    eventLog: async () => {
      const past = events.subscribe(
        { sinceNs: 0n, untilNs: 2n ** 62n, accepts: ({ Type }) => Type === 'image' },
        AbortSignal.timeout(5),
      )
      const all = await Array.fromAsync(past)
      return all.map(({ Action, Actor }) => `${Action} ${Actor.Attributes['name'] ?? ''}`.trimEnd())
    },
  }
}

export type Fixture = Awaited<ReturnType<typeof setUp>>

export const tarOf = async (...members: TarSource[]): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(writeTar(members)))

export function file(path: string, content: string | Buffer, fields: Partial<TarEntry> = {}): TarSource {
  const bytes = Buffer.from(content)
  return { entry: tarEntry({ path, sizeBytes: bytes.length, ...fields }), content: bytes }
}

export const json = (path: string, document: unknown): TarSource => file(path, JSON.stringify(document))

export const link = (path: string, linkPath: string): TarSource => ({
  entry: tarEntry({ path, type: 'symlink', linkPath }),
})

/** A layer with one file. */
export const layerOf = (name: string, content = name): Promise<Buffer> => tarOf(file(name, content))

export interface Built {
  readonly id: Digest
  readonly configBytes: Buffer
  readonly layers: readonly Buffer[]
}

/** An image of uncompressed layers. */
export function build(layers: readonly Buffer[], fields: Partial<ImageConfig> = {}): Built {
  const config: ImageConfig = {
    os: 'linux',
    architecture: 'amd64',
    created: '2024-01-01T00:00:00Z',
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer)) },
    history: layers.map((_, i) => ({ created: '2024-01-01T00:00:00Z', created_by: `step ${i}` })),
    ...fields,
  }
  const configBytes = Buffer.from(JSON.stringify(config))
  return { id: sha256(configBytes), configBytes, layers }
}

export const blobPath = (bytes: Buffer): string => `blobs/${sha256(bytes).replace(':', '/')}`
export const blob = (bytes: Buffer): TarSource => file(blobPath(bytes), bytes)

/** The archive that `docker save` writes, without its OCI documents. */
export function dockerArchive(
  ...images: readonly (Built & { readonly tags: readonly string[] | null })[]
): Promise<Buffer> {
  const items = images.map(({ configBytes, layers, tags }) => ({
    Config: blobPath(configBytes),
    RepoTags: tags,
    Layers: layers.map(blobPath),
  }))
  const blobs = images.flatMap(({ configBytes, layers }) => [configBytes, ...layers].map(blob))
  return tarOf(...blobs, json('manifest.json', items))
}

/** One image of one layer under `tags`. */
export async function simpleArchive(name: string, tags: readonly string[] | null, fields: Partial<ImageConfig> = {}) {
  const built = build([await layerOf(name)], fields)
  return { ...built, archive: [await dockerArchive({ ...built, tags })] }
}
