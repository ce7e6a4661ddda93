import { sanitizeEntryPath, type TarEntry, type TarHandler } from '@berth/archive'

/** How an archive that ADD unpacks differs from a layer. */
export interface AddedRules {
  /** Owns all of it, whatever the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number }
}

/** Passes members on; the directory that they are unpacked into stays as it is. */
export class AddedMembers implements TarHandler {
  readonly #to: TarHandler
  readonly #rules: AddedRules
  #isPassed = false

  constructor(to: TarHandler, rules: AddedRules) {
    this.#to = to
    this.#rules = rules
  }

  entry(entry: TarEntry): void {
    this.#isPassed = sanitizeEntryPath(entry.path) !== ''
    if (this.#isPassed) this.#to.entry({ ...entry, ...this.#rules.owner })
  }

  data(bytes: Buffer, offset: number): void {
    if (this.#isPassed) this.#to.data(bytes, offset)
  }

  end(): void {
    if (this.#isPassed) this.#to.end()
  }
}
