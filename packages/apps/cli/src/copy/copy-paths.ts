import { posix } from 'node:path'

/** One side of a copy: what is known of it before anything is copied. */
export interface CopyInfo {
  readonly path: string
  readonly exists: boolean
  readonly isDirectory: boolean
  /** The name that its entries are to have in place of the path's last one; '' for none. */
  readonly rebaseName: string
}

/** `CONTAINER:PATH`, or a local path: an absolute one, and one that begins with a dot, may have colons. */
export function splitCopyArgument(argument: string): { readonly container: string; readonly path: string } {
  const colon = argument.indexOf(':')
  if (argument.startsWith('/') || colon < 0 || argument.startsWith('.')) return { container: '', path: argument }
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) }
}

/** Go's filepath.Base(): `.` of an empty path and of one that ends in `/.`, `/` of the root. */
export function lastName(path: string): string {
  if (path === '') return '.'
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

export const endsInSlash = (path: string): boolean => path.endsWith('/')
const isCurrentDirectory = (path: string): boolean => lastName(path) === '.'

/** Whether the user says by a last `/` or `/.` that it is a directory. */
export const assertsDirectory = (path: string): boolean => endsInSlash(path) || isCurrentDirectory(path)

/** Go's filepath.Clean(). */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

/** `clean` with the end that `original` has: `/` or `/.`. */
export function keepEnd(clean: string, original: string): string {
  let path = clean
  if (!isCurrentDirectory(path) && isCurrentDirectory(original)) path += endsInSlash(path) ? '.' : '/.'
  return !endsInSlash(path) && endsInSlash(original) ? `${path}/` : path
}

/** Directory and last name; `dir/.` is the name `.` in `dir`. */
export function splitDirectoryEntry(path: string): { readonly directory: string; readonly name: string } {
  const clean = cleanPath(path) + (isCurrentDirectory(path) ? '/.' : '')
  const slash = clean.lastIndexOf('/')
  return { directory: slash < 0 ? '.' : cleanPath(clean.slice(0, slash) || '/'), name: lastName(clean) }
}

/** Where a followed link leads, with the end that `path` has, and the name that the copy takes from `path`. */
export function rebaseLink(path: string, resolved: string): { readonly path: string; readonly rebaseName: string } {
  const kept = keepEnd(resolved, path)
  return { path: kept, rebaseName: lastName(path) === lastName(kept) ? '' : lastName(path) }
}

/** In which directory a copy is unpacked, and which name in its entries is replaced by which. */
export interface ArchivePlan {
  readonly directory: string
  readonly rename?: { readonly from: string; readonly to: string }
}

/** Docker's rules: into an existing directory as it is, else under the destination's own name. Throws in its words. */
export function planArchiveCopy(source: CopyInfo, destination: CopyInfo): ArchivePlan {
  if (destination.exists && destination.isDirectory) return { directory: destination.path }
  if (destination.exists && source.isDirectory) throw new Error('cannot copy directory')
  if (!destination.exists && !source.isDirectory && assertsDirectory(destination.path)) {
    throw new Error('no such directory')
  }
  const { directory, name } = splitDirectoryEntry(destination.path)
  const from = source.rebaseName || splitDirectoryEntry(source.path).name
  return { directory, rename: { from: from === '/' ? '' : from, to: name } }
}
