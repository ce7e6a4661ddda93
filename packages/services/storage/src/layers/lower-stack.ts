import { opaqueXattr } from '@berth/archive'
import { type FileStatus, getXattr } from '@berth/linux'
import { closeSync, constants, openSync } from 'node:fs'
import { isDirectory, namesIn, openDirectory, statusOf } from './directory.ts'

/** A file of the layers beneath, and the open directory of the layer that has it. */
export interface LowerFile {
  readonly fd: number
  readonly status: FileStatus
}

/**
 * One directory as the layers beneath show it together: the topmost layer that has a name decides, a whiteout hides it, an
 * opaque directory hides all further down (Documentation/filesystems/overlayfs.rst).
 */
export class LowerStack implements Disposable {
  readonly #fds: readonly number[]

  private constructor(fds: readonly number[]) {
    this.#fds = fds
  }

  static readonly empty = new LowerStack([])

  /** The roots of layers, the topmost first. */
  static open(paths: readonly string[]): LowerStack {
    const fds: number[] = []
    try {
      for (const path of paths) fds.push(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY))
    } catch (error) {
      fds.forEach((fd) => closeSync(fd))
      throw error
    }
    return new LowerStack(fds)
  }

  /** The visible file `name`, if any. */
  find(name: string): LowerFile | undefined {
    for (const fd of this.#fds) {
      const status = statusOf(fd, name)
      if (status) return isWhiteout(status) ? undefined : { fd, status }
    }
    return undefined
  }

  /** The visible names. */
  names(): string[] {
    const names = new Set<string>()
    for (const fd of this.#fds) for (const name of namesIn(fd)) names.add(name)
    return [...names].filter((name) => this.find(name) !== undefined).toSorted()
  }

  /** The directory `name`; empty when it is none. */
  descend(name: string): LowerStack {
    const fds: number[] = []
    for (const fd of this.#fds) {
      const status = statusOf(fd, name)
      if (!status) continue
      if (!isDirectory(status)) break
      const child = openDirectory(fd, name)
      fds.push(child)
      if (isOpaque(child)) break
    }
    return new LowerStack(fds)
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd)
  }
}

/** Whether a file of a layer is overlayfs's mark of a deletion. */
export function isWhiteout({ mode, rdev }: FileStatus): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFCHR && rdev.major === 0 && rdev.minor === 0
}

/** Whether an open directory of a layer hides what the layers beneath have in it. */
export const isOpaque = (fd: number): boolean => getXattr(fd, opaqueXattr)?.[0] === 0x79
