import type { TarEntry } from './entry.ts'
import { type PackerOptions, TarPacker } from './tar-packer.ts'

/** A member to write: `content` must give exactly `entry.sizeBytes` bytes. */
export interface TarSource {
  readonly entry: TarEntry
  readonly content?: Uint8Array | AsyncIterable<Uint8Array>
}

/** A tar archive of `members` in chunks; `Readable.from()` makes a stream of it. */
export async function* writeTar(
  members: Iterable<TarSource> | AsyncIterable<TarSource>,
  options: PackerOptions = {},
): AsyncGenerator<Buffer> {
  const packer = new TarPacker(options)
  for await (const { entry, content } of members) {
    packer.header(entry)
    for await (const bytes of parts(content)) {
      packer.content(bytes)
      if (packer.hasChunk) yield* packer.take()
    }
    if (packer.hasChunk) yield* packer.take()
  }
  packer.finish()
  yield* packer.take()
}

/** An entry from the fields that matter: a root-owned regular file of mode 0644 at the epoch unless told otherwise. */
export function tarEntry(fields: Partial<TarEntry> & Pick<TarEntry, 'path'>): TarEntry {
  const type = fields.type ?? 'file'
  return {
    type,
    linkPath: '',
    mode: type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtime: { seconds: 0, nanoseconds: 0 },
    deviceMajor: 0,
    deviceMinor: 0,
    ...fields,
  }
}

const parts = (content: TarSource['content']): AsyncIterable<Uint8Array> | Uint8Array[] =>
  content === undefined ? [] : content instanceof Uint8Array ? [content] : content
