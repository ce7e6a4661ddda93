import { gzipBlocks } from '@berth/archive'
import { openIsal } from '@berth/linux'

let isal: { readonly newDeflate: ReturnType<typeof openIsal> } | undefined

/** A layer's bytes as one gzip member: by ISA-L where it is installed, else by zlib. Each makes the same bytes each time. */
export function compressLayer(layer: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const { newDeflate } = findIsal()
  return gzipBlocks(layer, newDeflate && { deflate: newDeflate() })
}

/** What `compressLayer()` works with, in `info`'s words. */
export const layerCompressor = (): 'isa-l' | 'zlib' => (findIsal().newDeflate ? 'isa-l' : 'zlib')

/** Looked for once, so that one engine's layers are all made by one library. */
function findIsal() {
  isal ??= { newDeflate: openIsal() }
  return isal
}
