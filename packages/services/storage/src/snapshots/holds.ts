/** Who uses the mounts of active snapshots beside their owners, and what is to be unmounted when they are done. */
export class Holds {
  readonly #held = new Map<string, { count: number; isUnwanted: boolean }>()

  /** `isUnwanted`: it was mounted for this hold alone. */
  add(key: string, isUnwanted: boolean): void {
    const held = this.#held.get(key)
    if (held) held.count++
    else this.#held.set(key, { count: 1, isUnwanted })
  }

  has(key: string): boolean {
    return this.#held.has(key)
  }

  /** True when that was the last, and nobody else wants the mount. */
  release(key: string): boolean {
    const held = this.#held.get(key)
    if (!held || --held.count > 0) return false
    this.#held.delete(key)
    return held.isUnwanted
  }

  /** The owner mounts it: from now on it is the owner's to unmount. */
  claim(key: string): void {
    const held = this.#held.get(key)
    if (held) held.isUnwanted = false
  }

  /** The owner unmounts it. False when that has to wait for the last hold. */
  yield(key: string): boolean {
    const held = this.#held.get(key)
    if (held) held.isUnwanted = true
    return held === undefined
  }

  /** The snapshot goes, whoever holds it. */
  forget(key: string): void {
    this.#held.delete(key)
  }
}
