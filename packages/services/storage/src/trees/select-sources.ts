import { splitEntryPath } from '@berth/archive'
import { invalid } from '@berth/base'
import { compilePath, type PathPattern } from '@berth/dockerfile'
import { AT_EMPTY_PATH, type FileStatus, fstatat, O_PATH, openInRoot } from '@berth/linux'
import { closeSync, constants } from 'node:fs'
import { ifThere, kernelName, namesIn } from '../layers/directory.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, S_IFLNK, S_IFMT } = constants

/** Something that a pattern selected, open by an O_PATH descriptor; links on the way there were followed. */
export interface SelectedSource extends Disposable {
  /** In the tree, without a leading slash; '' is the root. */
  readonly path: string
  /** Last part of `path`, '' for the root. */
  readonly name: string
  readonly fd: number
  readonly status: FileStatus
}

/**
 * What `pattern` (without a leading slash, clean) selects below `root`, sorted. `*`, `?` and `[...]` match within one
 * component; what is behind the first of them is looked for behind no link. Every path is resolved by the kernel with
 * `root` as its root.
 */
export function selectSources(root: number, pattern: string): SelectedSource[] {
  const parts = pattern.split('/')
  const first = parts.findIndex(isWild)
  if (first < 0) return openSource(root, pattern)
  requireInside(parts)
  let paths = [parts.slice(0, first).join('/')]
  for (const [i, part] of parts.slice(first).entries()) {
    const wanted = compilePath(part)
    paths = paths.filter((path) => i === 0 || !isLink(root, path)).flatMap((path) => expand(root, path, wanted))
  }
  return paths.flatMap((path) => openSource(root, path))
}

/** What is at a path (without a leading slash, clean), if anything is; the same of a path that is no pattern. */
export function openSource(root: number, clean: string): SelectedSource[] {
  const path = clean === '.' ? '' : clean
  requireInside(path.split('/'))
  const fd = ifThere(() => openInRoot(root, kernelName(path || '.'), { flags: O_PATH }))
  if (fd === undefined) return []
  return [
    {
      path,
      name: path === '' ? '' : splitEntryPath(path).name,
      fd,
      status: fstatat(fd, '', AT_EMPTY_PATH),
      [Symbol.dispose]: () => closeSync(fd),
    },
  ]
}

function requireInside(parts: readonly string[]): void {
  if (parts.includes('..')) throw invalid(`forbidden path outside the build context: ${parts.join('/')}`)
}

/** Whether a pattern may select several. */
const isWild = (pattern: string): boolean => /[*?[]/.test(pattern)

const join = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`)

function isLink(root: number, path: string): boolean {
  const fd = ifThere(() => openInRoot(root, kernelName(path), { flags: O_PATH | O_NOFOLLOW }))
  if (fd === undefined) return false
  try {
    return (fstatat(fd, '', AT_EMPTY_PATH).mode & S_IFMT) === S_IFLNK
  } finally {
    closeSync(fd)
  }
}

function expand(root: number, path: string, wanted: PathPattern): string[] {
  const fd = ifThere(() => openInRoot(root, kernelName(path || '.'), { flags: O_RDONLY | O_DIRECTORY }))
  if (fd === undefined) return []
  try {
    return namesIn(fd)
      .filter((name) => wanted.test(name))
      .map((name) => join(path, name))
  } finally {
    closeSync(fd)
  }
}
