import { codeOf, fault, internal, invalid } from '@berth/base'
import {
  AT_EMPTY_PATH,
  attachMount,
  cloneMount,
  fstatat,
  O_PATH,
  openInRoot,
  openUserNamespace,
  readMountInfo,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  unmount,
} from '@berth/linux'
import { closeSync, constants, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Container, MountPoint } from './container.ts'
import type { Context } from './context.ts'
import { imageSnapshots } from './image-mounts.ts'

/** Sources by destination, in the place of those that the container's record names. */
export type PinnedSources = ReadonlyMap<string, string>

export interface PinnedMounts extends AsyncDisposable {
  readonly sources: PinnedSources
}

/**
 * Mounts, below the container's directory, what the OCI runtime can bind but not make: parts of volumes and images, opened
 * once so that nobody swaps them on the way, and binds with other owners. The container has mounts of its own from these:
 * they are needed while it starts, and not after.
 */
export async function pinMounts(context: Context, container: Container): Promise<PinnedMounts> {
  await using stack = new AsyncDisposableStack()
  const sources = new Map<string, string>()
  const directory = pinsDirectory(context, container)
  const pinned = container.mounts.filter(isPinned)
  if (pinned.length > 0) stack.defer(() => removePins(directory))
  for (const [index, mount] of pinned.entries()) {
    const { snapshot } = mount.image ?? {}
    if (snapshot !== undefined) {
      context.snapshots.mount(snapshot)
      stack.defer(() => context.snapshots.unmount(snapshot))
    }
    const target = join(directory, String(index))
    await pin(mount, target)
    sources.set(mount.destination, target)
  }
  fault('start: pinned')
  const owned = stack.move()
  return { sources, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const isPinned = ({ image, volume, idMaps }: MountPoint): boolean =>
  image !== undefined || idMaps !== undefined || (volume !== undefined && volume.subpath !== '')

/** What a crash has left of starts: mounts that no container needs any more. */
export async function sweepPins(context: Context, container: Container): Promise<void> {
  const directory = pinsDirectory(context, container)
  if (existsSync(directory)) removePins(directory)
  for (const snapshot of imageSnapshots(container)) {
    if (context.snapshots.isMounted(snapshot)) await context.snapshots.unmount(snapshot)
  }
}

const pinsDirectory = ({ directory }: Context, { id }: Container): string => join(directory, id, 'mounts')

/** Unmounts all that is mounted below `directory`, and removes it. */
export function removePins(directory: string): void {
  for (const { target } of readMountInfo().toReversed()) {
    if (target.startsWith(`${directory}/`)) unmount(target, { detach: true })
  }
  rmSync(directory, { recursive: true, force: true })
}

async function pin(mount: MountPoint, target: string): Promise<void> {
  const source = openSource(mount)
  try {
    const isDirectory = (fstatat(source, '', AT_EMPTY_PATH).mode & constants.S_IFMT) === constants.S_IFDIR
    makeTarget(target, isDirectory)
    const tree = await cloneSource(mount, source)
    try {
      attach(tree, target)
    } finally {
      closeSync(tree)
    }
  } finally {
    closeSync(source)
  }
}

/** The kernel keeps the path inside the volume or image: a link that leads out of it is refused. */
function openSource({ source, volume, image }: MountPoint): number {
  const subpath = volume?.subpath || image?.subpath || ''
  if (subpath === '') return openSync(source, O_PATH)
  try {
    return openInRoot(source, subpath, { resolve: RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS })
  } catch (error) {
    const code = codeOf(error)
    const path = join(source, subpath)
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw invalid(`cannot access path ${path}: lstat ${path}: no such file or directory`)
    }
    if (code === 'EXDEV' || code === 'ELOOP') {
      throw invalid(`path concatenation escapes the base directory, base: ${source}, subpath: ${subpath}`, error)
    }
    throw error
  }
}

function makeTarget(target: string, isDirectory: boolean): void {
  mkdirSync(join(target, '..'), { recursive: true, mode: 0o700 })
  if (isDirectory) mkdirSync(target)
  else writeFileSync(target, '')
}

async function cloneSource({ idMaps, recursive = true, source: path }: MountPoint, source: number): Promise<number> {
  if (idMaps === undefined) return cloneMount(source, { recursive, isPlain: true })
  const userNamespace = await openUserNamespace(idMaps)
  try {
    return cloneMount(source, { recursive, isPlain: true, userNamespace })
  } catch (error) {
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'EPERM') throw error
    throw internal(`cannot map ids of bind source ${path}: a file system in it does not support that`, error)
  } finally {
    closeSync(userNamespace)
  }
}

function attach(tree: number, target: string): void {
  const at = openSync(target, constants.O_RDONLY)
  try {
    attachMount(tree, at)
  } finally {
    closeSync(at)
  }
}
