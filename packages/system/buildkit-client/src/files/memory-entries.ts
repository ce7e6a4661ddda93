import type { SentEntry } from '@berth/buildkit-protocol'

/** Files that are in memory only, as entries of a tree. */
export function* memoryEntries(files: ReadonlyMap<string, Buffer>): Generator<SentEntry> {
  for (const path of [...files.keys()].toSorted()) {
    const content = files.get(path) ?? Buffer.alloc(0)
    yield { stat: { path, mode: 0o600, size: BigInt(content.length) }, open: () => [content] }
  }
}
