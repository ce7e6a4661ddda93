import { RegistryError } from '../http/errors.ts'

/** Keeps count of the bytes of blobs and of uploads under way, and refuses more where they would be too many. */
export class StorageLimit {
  readonly #maxBytes: number
  storedBytes = 0

  /** `maxBytes` 0 is no limit. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Of what is there already. */
  count(bytes: number): void {
    this.storedBytes += bytes
  }

  /** Of what comes; throws when it would be too much. */
  take(bytes: number): void {
    if (this.#maxBytes > 0 && this.storedBytes + bytes > this.#maxBytes) {
      throw new RegistryError(507, 'DENIED', `the registry’s storage is full: --max-storage is ${this.#maxBytes} bytes`)
    }
    this.storedBytes += bytes
  }

  give(bytes: number): void {
    this.storedBytes -= bytes
  }
}
