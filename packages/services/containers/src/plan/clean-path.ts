import { invalid } from '@berth/base'
import { posix } from 'node:path'

/** Throws `invalid` unless absolute and not the root. */
export function cleanDestination(destination: string): string {
  if (!destination.startsWith('/')) {
    throw invalid(`invalid mount path: '${destination}' mount path must be absolute`)
  }
  const clean = cleanPath(destination)
  if (clean === '/') throw invalid("invalid specification: destination can't be '/'")
  return clean
}

export function cleanPath(path: string): string {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}
