import { type FileTime, readTar, type TarEntry, writeTar } from '@berth/archive'

/** The same archive with other times of its members; deterministic. */
export async function* withTimes(
  tar: AsyncIterable<Uint8Array>,
  timeOf: (own: FileTime) => FileTime,
): AsyncGenerator<Buffer> {
  yield* writeTar(members(tar, timeOf))
}

async function* members(tar: AsyncIterable<Uint8Array>, timeOf: (own: FileTime) => FileTime) {
  for await (const { entry, content } of readTar(tar)) {
    yield { entry: retimed(entry, timeOf), content: content() }
  }
}

/** Holes are written out: the content comes with them filled. */
function retimed(entry: TarEntry, timeOf: (own: FileTime) => FileTime): TarEntry {
  const { extents: _, atime: __, ...rest } = entry
  return { ...rest, mtime: timeOf(entry.mtime) }
}

/** Nothing later than `latest`. */
export const notAfter =
  (latest: FileTime) =>
  (own: FileTime): FileTime =>
    own.seconds < latest.seconds ? own : latest
