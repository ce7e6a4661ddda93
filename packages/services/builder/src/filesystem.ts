import type { ImageLayer } from '@berth/images'
import type { Digest } from '@berth/oci'

/** A file system by its layers, base first; no layer is an empty root. */
export interface FileSystem {
  readonly layers: readonly ImageLayer[]
}

export const emptyFileSystem: FileSystem = { layers: [] }

export const chainOf = ({ layers }: FileSystem): Digest | undefined => layers.at(-1)?.chainId

/** `on` with one layer more; a step that changed nothing adds none. */
export const withLayer = (on: FileSystem, layer: ImageLayer | undefined): FileSystem =>
  layer === undefined ? on : { layers: [...on.layers, layer] }
