import { codeOf, notFound } from '@berth/base'
import { AT_EMPTY_PATH, fstatat, openInRoot } from '@berth/linux'
import { closeSync, constants } from 'node:fs'
import { posix } from 'node:path'
import { isDirectory, kernelName } from '../layers/directory.ts'
import { packName } from '../layers/pack-tree.ts'
import { baseName, belowRoot } from './container-path.ts'
import { openPath, pathError } from './stat-path.ts'

/**
 * What is at `path` below the directory `root` as a tar whose entries begin with the path's last name, as Docker names
 * them: `etc/passwd` of `/etc`, `./passwd` of `/etc/.`, `/etc/passwd` of `/`.
 */
export function* packPath(root: number, path: string): Generator<Buffer> {
  const fd = openPath(root, path)
  if (fd === undefined) throw notFound(`${path} is gone`)
  try {
    if (isDirectory(fstatat(fd, '', AT_EMPTY_PATH))) return yield* packName(fd, '.', baseName(path))
  } finally {
    closeSync(fd)
  }
  yield* packFileIn(root, path)
}

function* packFileIn(root: number, path: string): Generator<Buffer> {
  const parent = openParent(root, path)
  try {
    yield* packName(parent, baseName(path), baseName(path))
  } finally {
    closeSync(parent)
  }
}

function openParent(root: number, path: string): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY
  try {
    return openInRoot(root, kernelName(belowRoot(posix.dirname(path))), { flags })
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? notFound(`${path} is gone`, error) : pathError(path, error)
  }
}
