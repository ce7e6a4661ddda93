import { readTar, tarEntry, type TarSource, writeTar } from '@berth/archive'
import { Readable } from 'node:stream'

/** A tar, the folder that its members go to ('' is the top), and files beside them. */
export interface TarPart {
  readonly folder: string
  open(): Promise<Readable>
  readonly files: readonly { readonly path: string; readonly content: Buffer }[]
}

/** One tar of several, one after the other. */
export const joinTars = (parts: readonly TarPart[]): Readable =>
  Readable.from(writeTar(allMembers(parts)), { objectMode: false })

async function* allMembers(parts: readonly TarPart[]): AsyncGenerator<TarSource> {
  for (const { folder, open, files } of parts) {
    if (folder !== '') yield { entry: tarEntry({ path: `${folder}/`, type: 'directory', mode: 0o755 }) }
    const inside = (path: string) => (folder === '' ? path : `${folder}/${path.replace(/^\.?\//, '')}`)
    const tar = await open()
    try {
      for await (const { entry, content } of readTar(tar)) {
        if (entry.path.replace(/^\.?\/?/, '') === '' && folder !== '') continue
        const { extents: _, ...rest } = entry
        const linkPath = entry.type === 'hardlink' ? inside(entry.linkPath) : entry.linkPath
        yield { entry: { ...rest, path: inside(entry.path), linkPath }, content: content() }
      }
    } finally {
      tar.destroy()
    }
    for (const { path, content } of files) {
      yield { entry: tarEntry({ path: inside(path), sizeBytes: content.length, mode: 0o600 }), content }
    }
  }
}
