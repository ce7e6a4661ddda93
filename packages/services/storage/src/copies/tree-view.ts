import { codeOf, conflict, isKind, messageOf } from '@berth/base'
import { AT_EMPTY_PATH, attachMount, cloneMount, fstatat, MountNamespace, openInRoot, unmount } from '@berth/linux'
import { closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs'
import { LayerTree } from '../layers/layer-tree.ts'
import { isDirectory, kernelName } from '../layers/directory.ts'

/** Something that a container has mounted, as a path of the host. */
export interface ViewMount {
  readonly source: string
  /** What of the source is mounted, resolved inside of it; all of it when absent or ''. */
  readonly subpath?: string
  /** Absolute, clean, and resolved inside the container. */
  readonly destination: string
  readonly readOnly: boolean
  /** Passed over where the container has no such path; else the mount point is made. */
  readonly optional?: boolean
}

/** A container's files as its user knows them: the root file system with volumes and binds on it. */
export interface TreeView {
  /** Host directory of the root file system. */
  readonly root: string
  readonly mounts: readonly ViewMount[]
  /** An existing directory of the engine's own. */
  readonly scratch: string
}

/** An open view. `root` is a descriptor whose tree nothing can be executed in, and no device opened. */
export interface OpenView extends Disposable {
  readonly root: number
}

let namespace: MountNamespace | undefined
let lastNumber = 0

/**
 * Opens a view for openat2(2). Without mounts it is a detached copy of one mount. Otherwise the copies are put together
 * in a mount namespace that holds nothing else: each mount point is resolved by the kernel inside the view, and mounted
 * on by descriptor, so that no link that a container swaps meanwhile leads a mount anywhere else.
 */
export function openView({ root, mounts, scratch }: TreeView): OpenView {
  using stack = new DisposableStack()
  const fd = owned(stack, cloneMount(root))
  if (mounts.length > 0) {
    const inside = (namespace ??= new MountNamespace(scratch))
    attachRoot(stack, inside, fd)
    for (const mount of mounts.toSorted(byDepth)) naming(mount, () => addMount(inside, fd, mount))
  }
  const open = stack.move()
  return { root: fd, [Symbol.dispose]: () => open.dispose() }
}

const byDepth = (a: ViewMount, b: ViewMount): number => depth(a.destination) - depth(b.destination)
const depth = (path: string): number => path.split('/').length

function owned(stack: DisposableStack, fd: number): number {
  stack.defer(() => closeSync(fd))
  return fd
}

function attachRoot(stack: DisposableStack, inside: MountNamespace, root: number): void {
  const path = `/${++lastNumber}`
  inside.run(() => mkdirSync(path))
  stack.defer(() => inside.run(() => rmdirSync(path)))
  inside.run(() => {
    const target = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      attachMount(root, target)
    } finally {
      closeSync(target)
    }
  })
  stack.defer(() => inside.run(() => unmount(path, { detach: true })))
}

/** A container that is changing its own mount points meanwhile has itself to blame. */
function naming({ destination }: ViewMount, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (codeOf(error) === undefined && !isKind(error, 'invalid')) throw error
    throw conflict(`cannot reach the mount at ${destination}: ${messageOf(error)}`, error)
  }
}

function addMount(inside: MountNamespace, root: number, mount: ViewMount): void {
  const source = ifFound(() => cloneSource(mount))
  // A source that is gone shows what lies beneath, as the container's next start would tell.
  if (source === undefined) return
  try {
    const target = openMountPoint(root, source, mount)
    if (target === undefined) return
    try {
      inside.run(() => attachMount(source, target))
    } finally {
      closeSync(target)
    }
  } finally {
    closeSync(source)
  }
}

function cloneSource({ source, subpath, readOnly }: ViewMount): number {
  if (!subpath) return cloneMount(source, { readOnly, recursive: true })
  const fd = openInRoot(source, kernelName(subpath))
  try {
    return cloneMount(fd, { readOnly, recursive: true })
  } finally {
    closeSync(fd)
  }
}

function openMountPoint(root: number, mounted: number, { destination, optional }: ViewMount): number | undefined {
  const path = destination.slice(1) || '.'
  const found = ifFound(() => openInRoot(root, kernelName(path)))
  if (found !== undefined || optional) return found
  using tree = new LayerTree(openInRoot(root, '.', { flags: constants.O_RDONLY | constants.O_DIRECTORY }), 'none')
  if (isDirectory(fstatat(mounted, '', AT_EMPTY_PATH))) tree.directory(path)
  else makeFile(tree, path)
  return openInRoot(root, kernelName(path))
}

function makeFile(tree: LayerTree, path: string): void {
  const { fd, name } = tree.place(path)
  const flags = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY
  closeSync(openInRoot(fd, kernelName(name), { flags, mode: 0o644 }))
}

function ifFound<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
