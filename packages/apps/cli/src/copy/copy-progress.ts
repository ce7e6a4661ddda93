import type { Cli } from '../cli.ts'
import { humanSize } from '../output/units.ts'

const escapes = {
  save: '\u001B[s',
  restore: '\u001B[u',
  eraseLine: '\u001B[2K',
  hide: '\u001B[?25l',
  show: '\u001B[?25h',
}
const intervalMs = 75
const digits = 3

export const copiedSize = (sizeBytes: number): string => humanSize(sizeBytes, digits)

/** Counts what passes through, and shows it in one line of a terminal that standard error is. */
export class CopyProgress implements Disposable {
  readonly #cli: Cli
  readonly #title: string
  readonly #timer: NodeJS.Timeout | undefined
  #shown = -1
  sizeBytes = 0

  constructor(cli: Cli, title: string) {
    this.#cli = cli
    this.#title = title
    if (!cli.isTerminal(2)) return
    cli.err(`${escapes.save}${escapes.hide}`)
    this.#show()
    this.#timer = setInterval(() => this.#show(), intervalMs)
  }

  async *count(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.sizeBytes += chunk.length
      yield chunk
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#cli.err(`${escapes.restore}${escapes.eraseLine}${escapes.show}`)
  }

  #show(): void {
    if (this.#shown === this.sizeBytes) return
    this.#shown = this.sizeBytes
    this.#cli.err(`${escapes.restore}${escapes.eraseLine}${this.#title} - ${copiedSize(this.sizeBytes)}`)
  }
}
