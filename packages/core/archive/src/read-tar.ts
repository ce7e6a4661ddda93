import type { TarEntry } from './entry.ts'
import { defaultTarLimits, type TarLimits, TarParser } from './tar-parser.ts'

/** A member as `readTar()` yields it. Its content must be read, if at all, before the next member is asked for. */
export interface TarMember {
  readonly entry: TarEntry
  /** The content, holes filled with zeros. */
  content(): AsyncGenerator<Buffer>
}

type Piece =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly offset: number }
  | { readonly kind: 'end' }

/**
 * The members of a tar stream, in order; content that is not read is skipped. Reads `source` to its end. `invalid` for
 * a malformed or truncated archive. For many small files a `TarParser` is faster: this costs promises per member.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  limits: TarLimits = defaultTarLimits,
): AsyncGenerator<TarMember> {
  const pieces = piecesOf(source, limits)
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    const piece = next.value
    if (piece.kind !== 'entry') continue
    const state = { isOpen: true }
    yield { entry: piece.entry, content: () => contentOf(piece.entry, pieces, state) }
    while (state.isOpen) {
      const rest = await pieces.next()
      state.isOpen = !rest.done && rest.value.kind !== 'end'
    }
  }
}

async function* contentOf(
  entry: TarEntry,
  pieces: AsyncGenerator<Piece>,
  state: { isOpen: boolean },
): AsyncGenerator<Buffer> {
  let position = 0
  while (state.isOpen) {
    const { value: piece, done } = await pieces.next()
    if (done || piece.kind !== 'data') {
      state.isOpen = false
      break
    }
    yield* zeros(piece.offset - position)
    yield piece.bytes
    position = piece.offset + piece.bytes.length
  }
  yield* zeros(entry.sizeBytes - position)
}

const hole = Buffer.alloc(64 << 10)

function* zeros(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= hole.length) yield hole.subarray(0, Math.min(left, hole.length))
}

async function* piecesOf(source: AsyncIterable<Uint8Array>, limits: TarLimits): AsyncGenerator<Piece> {
  let pieces: Piece[] = []
  const handler = {
    entry: (entry: TarEntry) => void pieces.push({ kind: 'entry', entry }),
    data: (bytes: Buffer, offset: number) => void pieces.push({ kind: 'data', bytes, offset }),
    end: () => void pieces.push({ kind: 'end' }),
  }
  const parser = new TarParser(handler, limits)
  for await (const chunk of source) {
    parser.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    const ready = pieces
    pieces = []
    yield* ready
  }
  parser.finish()
  yield* pieces
}
