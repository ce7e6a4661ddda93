import { invalid } from '@berth/base'
import { splitEntryPath } from './entry-path.ts'

const prefix = '.wh.'
const metadataPrefix = '.wh..wh.'
const opaqueName = '.wh..wh..opq'

/** Marks a directory of an overlay's upper that hides what lies beneath (Documentation/filesystems/overlayfs.rst). */
export const opaqueXattr = 'trusted.overlay.opaque'

/** What a layer's member asks of the layers beneath (OCI image spec, layer.md#whiteouts). */
export type Whiteout =
  /** Hides `path` of lower layers. */
  | { readonly kind: 'delete'; readonly path: string }
  /** Hides all that lower layers have in the directory `path`. */
  | { readonly kind: 'opaque'; readonly path: string }
  /** AUFS's own book-keeping: ignored. */
  | { readonly kind: 'metadata' }

/** The whiteout that a member of the sanitised `path` stands for; undefined for an ordinary one. */
export function parseWhiteout(path: string): Whiteout | undefined {
  if (!path.includes(prefix)) return undefined
  const { parent, name } = splitEntryPath(path)
  if (isMetadataPath(parent)) return { kind: 'metadata' }
  if (name === opaqueName) return { kind: 'opaque', path: parent }
  if (name.startsWith(metadataPrefix)) return { kind: 'metadata' }
  if (!name.startsWith(prefix)) return undefined
  const hidden = name.slice(prefix.length)
  if (hidden === '' || hidden === '.' || hidden === '..') throw invalid(`${JSON.stringify(path)} hides no name`)
  return { kind: 'delete', path: parent === '' ? hidden : `${parent}/${hidden}` }
}

/** The member that hides `path` of lower layers. */
export function whiteoutPath(path: string): string {
  const { parent, name } = splitEntryPath(path)
  return parent === '' ? prefix + name : `${parent}/${prefix}${name}`
}

/** The member that makes the directory `path` opaque. */
export const opaqueMarkerPath = (path: string): string => (path === '' ? opaqueName : `${path}/${opaqueName}`)

/** An overlay's whiteout: a character device 0/0. */
export function isOverlayWhiteout(file: {
  readonly isCharacterDevice: boolean
  readonly major: number
  readonly minor: number
}): boolean {
  return file.isCharacterDevice && file.major === 0 && file.minor === 0
}

/** Attributes that steer overlayfs itself: never taken from an archive nor written to one. */
export const isOverlayXattr = (name: string): boolean =>
  name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.')

const isMetadataPath = (path: string): boolean => path.split('/').some((part) => part.startsWith(metadataPrefix))
