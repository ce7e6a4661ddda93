import { isKind, notFound } from '@berth/base'
import { readUserFiles, resolveUser } from '@berth/runtime'
import type { OpenFiles, PathStatus, ViewMount } from '@berth/storage'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { finished, type Readable } from 'node:stream'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'

export interface WriteArchiveOptions {
  /** All that is copied belongs to the container's user, if it has one. */
  readonly copyUidGid: boolean
  /** A directory is replaced by nothing else, and nothing else by a directory. */
  readonly noOverwriteDirNonDir: boolean
  readonly signal?: AbortSignal
}

export async function statPath(context: Context, ref: string, path: string): Promise<PathStatus> {
  const container = context.registry.resolve(ref)
  await using files = await openFiles(context, container)
  return await requireStatus(files, ref, path)
}

/** Status of `path`, and it and all below it as a tar. The tar must be read or destroyed. */
export async function readArchive(
  context: Context,
  ref: string,
  path: string,
): Promise<{ readonly status: PathStatus; readonly archive: Readable }> {
  const container = context.registry.resolve(ref)
  await using stack = new AsyncDisposableStack()
  const files = stack.use(await openFiles(context, container))
  const status = await requireStatus(files, ref, path)
  announce(context, container, 'archive-path')
  const archive = files.pack(path)
  const reading = stack.move()
  finished(archive, () => void reading.disposeAsync())
  return { status, archive }
}

/** Unpacks a tar, compressed or not, in the existing directory `path`. */
export async function writeArchive(
  context: Context,
  ref: string,
  target: { readonly path: string; readonly source: AsyncIterable<Uint8Array> },
  { copyUidGid, noOverwriteDirNonDir, signal }: WriteArchiveOptions,
): Promise<void> {
  const container = context.registry.resolve(ref)
  await using files = await openFiles(context, container)
  const owner = copyUidGid ? ownerOf(container, files.rootPath) : undefined
  const options = { keepsKinds: noOverwriteDirNonDir, ...(owner && { owner }), ...(signal && { signal }) }
  try {
    await files.extract(target.path, target.source, options)
  } catch (error) {
    throw isKind(error, 'notFound') ? missing(ref, target.path) : error
  }
  announce(context, container, 'extract-to-dir')
}

async function requireStatus(files: OpenFiles, ref: string, path: string): Promise<PathStatus> {
  const status = await files.stat(path)
  if (!status) throw missing(ref, path)
  return status
}

const missing = (ref: string, path: string) => notFound(`Could not find the file ${path} in container ${ref}`)

function ownerOf({ config }: Container, rootPath: string): { uid: number; gid: number } | undefined {
  if (config.User === '') return undefined
  const { uid, gid } = resolveUser(config.User, readUserFiles(rootPath), [])
  return { uid, gid }
}

/**
 * The container's files as Docker shows them: the root file system with volumes, binds and the engine's files in /etc,
 * but no tmpfs. Volumes are mounted for as long as it is open.
 */
async function openFiles(context: Context, container: Container): Promise<OpenFiles & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const own: ViewMount[] = []
  for (const mount of container.mounts) {
    const { type, name = '', destination, rw, volume } = mount
    if (type !== 'bind' && type !== 'volume') continue
    const source = type === 'volume' ? stack.use(await context.volumes.lend(name)).path : mount.source
    own.push({ source, destination, readOnly: !rw, ...(volume && { subpath: volume.subpath }) })
  }
  const taken = new Set(own.map(({ destination }) => destination))
  const engine = engineFiles(context, container).filter(({ destination }) => !taken.has(destination))
  const isRootReadOnly = container.hostConfig.ReadonlyRootfs
  const files = stack.use(context.copies.openFiles({ key: container.id, mounts: [...own, ...engine], isRootReadOnly }))
  const open = stack.move()
  return { ...files, [Symbol.asyncDispose]: () => open.disposeAsync() }
}

function engineFiles({ directory }: Context, { id, hasBeenStarted }: Container): ViewMount[] {
  if (!hasBeenStarted) return []
  return ['hostname', 'hosts', 'resolv.conf']
    .map((name) => ({ source: join(directory, id, name), destination: `/etc/${name}` }))
    .filter(({ source }) => existsSync(source))
    .map((mount) => ({ ...mount, readOnly: false, optional: true }))
}
