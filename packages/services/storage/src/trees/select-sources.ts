import { splitEntryPath } from '@berth/archive'
import { invalid } from '@berth/base'
import { patternToRegExp } from '@berth/dockerfile'
import { AT_EMPTY_PATH, type FileStatus, fstatat, O_PATH, openInRoot } from '@berth/linux'
import { closeSync, constants } from 'node:fs'
import { ifThere, kernelName, namesIn } from '../layers/directory.ts'

const { O_DIRECTORY, O_RDONLY } = constants

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
 * component. Every path is resolved by the kernel with `root` as its root.
 */
export function selectSources(root: number, pattern: string): SelectedSource[] {
  if (pattern === '' || pattern === '.') return open(root, '')
  const parts = pattern.split('/')
  if (parts.includes('..')) throw invalid(`forbidden path outside the build context: ${pattern}`)
  let paths = ['']
  for (const part of parts) {
    const wanted = isWild(part) ? patternToRegExp(part) : undefined
    paths = paths.flatMap((path) => (wanted ? expand(root, path, wanted) : [join(path, part)]))
  }
  return paths.flatMap((path) => open(root, path))
}

/** Whether a pattern may select several. */
export const isWild = (pattern: string): boolean => /[*?[]/.test(pattern)

const join = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`)

function expand(root: number, path: string, wanted: RegExp): string[] {
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

function open(root: number, path: string): SelectedSource[] {
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
