import { posix } from 'node:path'

/**
 * The absolute path that a client means, cleaned by its letters alone, as Docker does; a trailing slash or `/.` stays,
 * for the kernel then follows a last link.
 */
export function containerPath(path: string): string {
  let clean = posix.join('/', path).replace(/(.)\/+$/, '$1')
  if (posix.basename(clean) !== '.' && isCurrentDirectory(path)) clean += clean.endsWith('/') ? '.' : '/.'
  if (!clean.endsWith('/') && path.endsWith('/')) clean += '/'
  return clean
}

/** Go's filepath.Base() is `.`. */
const isCurrentDirectory = (path: string): boolean => /(^|\/)\.$/.test(path)

/** Go's filepath.Base(): the last name; `/` of the root, `.` of what ends in `/.`. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

/** The path as openat2(2) takes it below a root. */
export const belowRoot = (path: string): string => path.replace(/^\/+/, '') || '.'
