import { fault, newContainerId, type ContainerId } from '@berth/base'
import type { ImageLayer } from '@berth/images'
import { mediaTypes } from '@berth/oci'
import type { Readable } from 'node:stream'
import type { Context } from '../context.ts'
import { chainOf, type FileSystem } from '../filesystem.ts'

/** A file system that is being changed; the name is a container's. */
export interface Writable {
  readonly id: ContainerId
  /** Where it is mounted. */
  readonly rootPath: string
  /** Lets `work` write beneath the mount, which is away meanwhile: the path is that of what was changed so far. */
  beneath(work: (files: string) => Promise<void>): Promise<void>
}

/** A tar of nothing: two blocks of zeros. */
const emptyTar = Buffer.alloc(1024)

/**
 * Lets `work` change a copy of `base`; what it changed becomes a layer, committed and stored, or undefined when nothing
 * was. All or nothing.
 */
export async function changeFileSystem(
  context: Context,
  base: FileSystem,
  work: (writable: Writable) => Promise<void>,
): Promise<ImageLayer | undefined> {
  const { snapshots } = context.storage
  const id = newContainerId()
  using lease = context.storage.leases.acquire()
  lease.keep(...base.layers.flatMap(({ chainId, descriptor }) => [chainId, descriptor.digest]))
  await snapshots.prepare(id, chainOf(base))
  try {
    const mount = () => snapshots.mount(id, { volatile: true })
    const beneath = async (write: (files: string) => Promise<void>) => {
      await snapshots.unmount(id)
      await write(snapshots.directories(id)['UpperDir'] as string)
      mount()
    }
    await work({ id, rootPath: mount(), beneath })
    fault('build: step done')
    return await commit(context, id)
  } finally {
    await snapshots.remove(id)
  }
}

async function commit({ storage }: Context, id: ContainerId): Promise<ImageLayer | undefined> {
  const { content, snapshots } = storage
  const diff = await unlessEmpty(snapshots.diff(id))
  if (!diff) return undefined
  const blob = await content.ingest(diff)
  fault('build: layer stored')
  const { chainId, sizeBytes } = await snapshots.commit(id, blob.digest)
  fault('build: layer committed')
  const descriptor = { mediaType: mediaTypes.layerTar, digest: blob.digest, size: blob.sizeBytes }
  return { descriptor, diffId: blob.digest, chainId, sizeBytes }
}

/** The tar, unless there is nothing in it. */
async function unlessEmpty(tar: Readable): Promise<AsyncIterable<Buffer> | undefined> {
  const chunks = tar.iterator() as AsyncIterator<Buffer>
  const first = await chunks.next()
  if (first.done) return undefined
  if (first.value.equals(emptyTar) && (await chunks.next()).done) return undefined
  return (async function* () {
    try {
      yield first.value
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    } finally {
      tar.destroy()
    }
  })()
}

/** Mounts a file system to be read, until it is disposed of. */
export async function viewFileSystem(
  context: Context,
  base: FileSystem,
): Promise<AsyncDisposable & { readonly rootPath: string }> {
  const { snapshots } = context.storage
  const id = newContainerId()
  await snapshots.prepare(id, chainOf(base))
  const rootPath = snapshots.mount(id, { volatile: true, bare: true })
  return { rootPath, [Symbol.asyncDispose]: () => snapshots.remove(id) }
}
