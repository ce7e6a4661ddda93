import { invalid } from '@berth/base'

export const defaultDetachKeys = 'ctrl-p,ctrl-q'

const controlKeys: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 }

/** Bytes of a detach sequence such as `ctrl-p,ctrl-q` or `a,b`; '' means the default. Throws `invalid`. */
export function parseDetachKeys(text: string): Buffer {
  return Buffer.from((text || defaultDetachKeys).split(',').map((key) => keyCode(key, `detach keys (${text})`)))
}

/** Those of an exec: Docker has another word for them. */
export function parseEscapeKeys(text: string): Buffer {
  return Buffer.from((text || defaultDetachKeys).split(',').map((key) => keyCode(key, `escape keys (${text})`)))
}

function keyCode(key: string, what: string): number {
  if (key.length === 1) return key.charCodeAt(0)
  const control = /^ctrl-(.)$/.exec(key)?.[1]
  if (control !== undefined && control >= 'a' && control <= 'z') return control.charCodeAt(0) - 96
  const code = control === undefined ? undefined : controlKeys[control]
  if (code === undefined) throw invalid(`Invalid ${what} provided`)
  return code
}

/**
 * Watches input for the detach sequence. Bytes that may begin it are held back until it is broken or complete.
 */
export class DetachScanner {
  readonly #keys: Buffer
  #matched = 0

  constructor(keys: Buffer) {
    this.#keys = keys
  }

  /** What of `input` is to be passed on, and whether the sequence was completed (the rest is dropped). */
  scan(input: Buffer): { readonly forward: Buffer; readonly detached: boolean } {
    const out: number[] = []
    for (const byte of input) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++
        if (this.#matched === this.#keys.length) return { forward: Buffer.from(out), detached: true }
        continue
      }
      out.push(...this.#keys.subarray(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) out.push(byte)
      else if (this.#keys.length === 1) return { forward: Buffer.from(out), detached: true }
    }
    return { forward: Buffer.from(out), detached: false }
  }
}
