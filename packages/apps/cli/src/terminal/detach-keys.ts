const controls: Record<string, number> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 }

/** The bytes of `ctrl-p,ctrl-q`; throws an Error that names a bad key. */
export function parseDetachKeys(text: string): number[] {
  return text.split(',').map((key) => {
    if (key.length === 1) return key.charCodeAt(0)
    const letter = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1]?.toLowerCase()
    if (letter === undefined) throw new Error(`Unknown character: '${key}'`)
    return controls[letter] ?? letter.charCodeAt(0) - 96
  })
}

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

/** Watches typed bytes for the keys that detach; what turns out not to be them is let through. */
export class DetachScanner {
  readonly #keys: readonly number[]
  #matched = 0

  constructor(keys: readonly number[]) {
    this.#keys = keys
  }

  /** The bytes to pass on; `detached` once the last key was typed. */
  push(chunk: Buffer): { data: Buffer; detached: boolean } {
    const out: number[] = []
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++
        if (this.#matched === this.#keys.length) return { data: Buffer.from(out), detached: true }
        continue
      }
      out.push(...this.#keys.slice(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) out.push(byte)
    }
    return { data: Buffer.from(out), detached: false }
  }
}
