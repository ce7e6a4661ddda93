import type { ProgressMessage } from './image.ts'

/** One message of a JSON stream as it goes over the wire. */
export const encodeProgress = (message: Readonly<Record<string, unknown>>): string => `${JSON.stringify(message)}\r\n`

/** The message that ends a stream which had already begun when the work failed. */
export const progressError = (message: string): ProgressMessage => ({ errorDetail: { message }, error: message })

/** A message longer than this is refused: no engine writes one. */
const longestMessage = 16 * 1024 * 1024

/** Takes a stream of JSON objects, one a line, in pieces of any size. */
export class ProgressDecoder {
  #rest = ''
  readonly #decoder = new TextDecoder()

  push(chunk: Uint8Array): ProgressMessage[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop()!
    if (this.#rest.length > longestMessage) throw new Error('a message of the stream is too long')
    return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as ProgressMessage)
  }

  /** What follows the last line's end. */
  end(): ProgressMessage[] {
    const rest = this.#rest.trim()
    this.#rest = ''
    return rest ? [JSON.parse(rest) as ProgressMessage] : []
  }
}
