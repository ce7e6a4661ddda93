import { isKind, notFound } from '@berth/base'
import { readUserFiles, resolveUser } from '@berth/runtime'
import type { ContainerTree, OpenFiles, PathStatus, ViewMount } from '@berth/storage'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
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
  using files = context.copies.openFiles(treeOf(context, container))
  return await requireStatus(files, ref, path)
}

/** Status of `path`, and it and all below it as a tar. The tar must be read or destroyed. */
export async function readArchive(
  context: Context,
  ref: string,
  path: string,
): Promise<{ readonly status: PathStatus; readonly archive: Readable }> {
  const container = context.registry.resolve(ref)
  using files = context.copies.openFiles(treeOf(context, container))
  const status = await requireStatus(files, ref, path)
  announce(context, container, 'archive-path')
  return { status, archive: files.pack(path) }
}

/** Unpacks a tar, compressed or not, in the existing directory `path`. */
export async function writeArchive(
  context: Context,
  ref: string,
  target: { readonly path: string; readonly source: AsyncIterable<Uint8Array> },
  { copyUidGid, noOverwriteDirNonDir, signal }: WriteArchiveOptions,
): Promise<void> {
  const container = context.registry.resolve(ref)
  using files = context.copies.openFiles(treeOf(context, container))
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

/** What Docker shows: the root file system with volumes, binds and the engine's files for /etc, but no tmpfs. */
function treeOf(context: Context, container: Container): ContainerTree {
  const own = container.mounts
    .filter(({ type, source }) => (type === 'bind' || type === 'volume') && source !== '')
    .map(({ source, destination, rw }): ViewMount => ({ source, destination, readOnly: !rw }))
  const taken = new Set(own.map(({ destination }) => destination))
  const engine = engineFiles(context, container).filter(({ destination }) => !taken.has(destination))
  return { key: container.id, mounts: [...own, ...engine], isRootReadOnly: container.hostConfig.ReadonlyRootfs }
}

function engineFiles({ directory }: Context, { id, hasBeenStarted }: Container): ViewMount[] {
  if (!hasBeenStarted) return []
  return ['hostname', 'hosts', 'resolv.conf']
    .map((name) => ({ source: join(directory, id, name), destination: `/etc/${name}` }))
    .filter(({ source }) => existsSync(source))
    .map((mount) => ({ ...mount, readOnly: false, optional: true }))
}
