import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@berth/base'
import type { ManifestEntry } from './entry.ts'

/** Manifest lists that are being made: a folder each, a file an image, where docker keeps its own. */
export class ManifestLists {
  readonly #root: string

  /** `directory` is that of config.json. */
  constructor(directory: string) {
    this.#root = join(directory, 'manifests')
  }

  /** In the order of their files' names; undefined when there is no such list. */
  list(name: string): ManifestEntry[] | undefined {
    const folder = this.#folder(name)
    try {
      return readdirSync(folder)
        .toSorted()
        .map((file) => readEntry(join(folder, file)))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  find(name: string, image: string): ManifestEntry | undefined {
    try {
      return readEntry(join(this.#folder(name), fileName(image)))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  save(name: string, image: string, entry: ManifestEntry): void {
    const folder = this.#folder(name)
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    const path = join(folder, fileName(image))
    const temporary = join(this.#root, `.${process.pid}.tmp`)
    writeFileSync(temporary, JSON.stringify(entry), { mode: 0o644 })
    renameSync(temporary, path)
  }

  /** False when there is no such list. */
  remove(name: string): boolean {
    if (this.list(name) === undefined) return false
    rmSync(this.#folder(name), { recursive: true })
    return true
  }

  #folder(name: string): string {
    return join(this.#root, fileName(name))
  }
}

/** References have no dots alone between slashes: what comes out is one plain name. */
const fileName = (reference: string): string => reference.replaceAll(':', '-').replaceAll('/', '_')

function readEntry(path: string): ManifestEntry {
  const entry = JSON.parse(readFileSync(path, 'utf8')) as Partial<ManifestEntry>
  if (typeof entry.Raw !== 'string' || typeof entry.Ref !== 'string' || entry.Descriptor === undefined) {
    throw new Error(`${path} is no manifest that can be read: remove it`)
  }
  return entry as ManifestEntry
}
