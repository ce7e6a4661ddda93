import { invalid } from '@berth/base'
import { nameBytes } from './name.ts'

// NAME_MAX and PATH_MAX (without the NUL) of include/uapi/linux/limits.h
const maxNameBytes = 255
const maxPathBytes = 4095

/**
 * The path of an archive's member relative to the root that it is unpacked in: no leading slash, no `.`, `..` or empty
 * component; '' is the root itself. A leading slash means the root; `a/../b` is `b`, by name as Go's path.Clean does.
 * `invalid` for a path that climbs over the root, and for one that no file can have.
 */
export function sanitizeEntryPath(path: string): string {
  if (isClean(path)) return path
  if (path === '') throw invalid('the name is empty')
  if (path.includes('\0')) throw invalid(`the name ${shown(path)} contains a NUL byte`)
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw invalid(`the name ${shown(path)} leads out of the archive's root`)
  }
  if (parts.some((part) => nameBytes(part) > maxNameBytes)) {
    throw invalid(`the name ${shown(path)} has a component of more than ${maxNameBytes} bytes`)
  }
  const clean = parts.join('/')
  if (nameBytes(clean) > maxPathBytes) throw invalid(`the name ${shown(path)} has more than ${maxPathBytes} bytes`)
  return clean
}

/** The target of a symlink as it may be stored; it may point anywhere, for nothing follows it out of the root. */
export function checkSymlinkTarget(target: string): string {
  if (target === '') throw invalid('the symlink has an empty target')
  if (target.includes('\0')) throw invalid('the symlink has a NUL byte in its target')
  if (nameBytes(target) > maxPathBytes) throw invalid(`the symlink's target has more than ${maxPathBytes} bytes`)
  return target
}

/** Parent directory ('' for the root) and last name of a sanitised path. */
export function splitEntryPath(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? { parent: '', name: path } : { parent: path.slice(0, slash), name: path.slice(slash + 1) }
}

// Most names are short ASCII and clean already.
// oxlint-disable-next-line no-control-regex -- NUL and bytes beyond ASCII take the long way
const doubtful = /[^\x01-\x7f]|(?:^|\/)(?:\.{0,2}\/|\.{0,2}$)/

const isClean = (path: string): boolean => path.length <= maxNameBytes && !doubtful.test(path)

const shown = (path: string): string => JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path)
