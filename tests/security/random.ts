/** Choices that are the same again for the same seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below `bound`: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }

  list<T>(maxLength: number, make: () => T): T[] {
    return Array.from({ length: this.below(maxLength + 1) }, make)
  }

  /** `bytes` with some of them changed, taken out, doubled or put in. */
  mutate(bytes: Uint8Array): Buffer {
    let mutated: Buffer = Buffer.from(bytes)
    for (let i = 0; i <= this.below(4); i++) mutated = this.#change(mutated)
    return mutated
  }

  #change(bytes: Buffer): Buffer {
    const at = this.below(bytes.length + 1)
    const end = at + this.below(Math.min(16, bytes.length - at) + 1)
    switch (this.below(5)) {
      case 0:
        return bytes.subarray(0, at)
      case 1:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
      case 2:
        return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
      case 3:
        return Buffer.concat([bytes.subarray(0, at), this.bytes(1 + this.below(10)), bytes.subarray(end)])
      default:
        return Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ (1 << this.below(8)) : byte)))
    }
  }
}
