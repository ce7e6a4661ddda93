type Message = Readonly<Record<string, unknown>>

const maxBytes = 1 << 20

/** The last messages of a build, at most a megabyte of text. */
export class KeptMessages {
  readonly #messages: Message[] = []
  #bytes = 0

  readonly add = (message: Message): void => {
    this.#messages.push(message)
    this.#bytes += sizeOf(message)
    while (this.#bytes > maxBytes) this.#bytes -= sizeOf(this.#messages.shift() ?? {})
  }

  get all(): readonly Message[] {
    return this.#messages
  }
}

const sizeOf = ({ stream }: Message): number => (typeof stream === 'string' ? stream.length : 0)
