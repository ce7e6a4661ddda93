import { invalid } from '@berth/base'
import { posix } from 'node:path'

type Style = 'classic' | 'buildkit'

/** The name of the file that a URL names, for a destination. Throws `invalid` for none. */
export function remoteFileName(url: string, destination: string, style: Style): string {
  const name = posix.basename(decodedPath(url))
  if (name.includes('\0')) throw invalid(`${JSON.stringify(url)} has a NUL byte in its name`)
  const isNamed = name !== '' && name !== '.' && name !== '..'
  if (isNamed) return name
  if (style === 'buildkit') return '__unnamed__'
  if (destination.endsWith('/')) throw invalid(`ADD failed: cannot determine filename for source ${url}`)
  return posix.basename(destination)
}

function decodedPath(url: string): string {
  const { pathname } = new URL(url)
  try {
    return decodeURIComponent(pathname)
  } catch {
    throw invalid(`invalid URL escape in ${JSON.stringify(url)}`)
  }
}

/** Digits of each algorithm that a checksum may be of. */
const digits = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
])

/** Throws `invalid`, in BuildKit's words, for what can be no file's checksum; '' is none. */
export function requireChecksumForm(checksum: string): void {
  if (checksum === '') return
  const [, algorithm = '', encoded = ''] = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(checksum) ?? []
  if (algorithm === '') throw invalid('invalid checksum digest format')
  const length = digits.get(algorithm)
  if (length === undefined) throw invalid('unsupported digest algorithm')
  if (encoded.length !== length) throw invalid('invalid checksum digest length')
  if (!/^[0-9a-f]+$/.test(encoded)) throw invalid('invalid checksum digest format')
}
