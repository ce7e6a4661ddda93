import { KeptSizes } from '@berth/storage'
import { stat } from 'node:fs/promises'

/** What other programs of the host write below a volume's own directory is seen after so long at the latest. */
const maxAgeMs = 600_000

/** Sizes of volumes in bytes, kept while no container can write to them. */
export class VolumeSizes {
  readonly #sizes: KeptSizes
  readonly #walk: (path: string) => Promise<number>

  constructor(walk: (path: string) => Promise<number>, { nowMs }: { readonly nowMs?: () => number } = {}) {
    this.#walk = walk
    this.#sizes = new KeptSizes({ maxAgeMs, ...(nowMs && { nowMs }) })
  }

  /** Of the volume `name` in the directory `path`, whose own entries and owner are looked at each time. */
  async of(name: string, path: string, isAtRest: boolean): Promise<number> {
    const { ino, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return await this.#sizes.of(name, () => this.#walk(path), { isAtRest, stamp: `${ino} ${mtimeNs} ${ctimeNs}` })
  }

  /** A container is about to have it mounted, has had it, or it is gone. */
  forget(name: string): void {
    this.#sizes.forget(name)
  }
}
