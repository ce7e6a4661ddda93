/** The words of `text`, split at spaces outside quotes; quotes and escapes stay for the expansion. */
export function splitWords(text: string, escape = '\\'): string[] {
  const splitter = new WordSplitter(text, escape)
  return splitter.run()
}

class WordSplitter {
  readonly #chars: readonly string[]
  readonly #escape: string
  readonly #words: string[] = []
  #word: string | undefined

  constructor(text: string, escape: string) {
    this.#chars = [...text]
    this.#escape = escape
  }

  run(): string[] {
    for (let at = 0; at < this.#chars.length;) at = this.#take(at)
    this.#end()
    return this.#words
  }

  #take(at: number): number {
    const char = this.#chars[at] as string
    if (/\s/.test(char)) {
      this.#end()
      return at + 1
    }
    if (char === "'" || char === '"') return this.#quoted(at, char)
    if (char !== this.#escape) {
      this.#add(char)
      return at + 1
    }
    // An escape at the very end is dropped.
    const next = this.#chars[at + 1]
    if (next !== undefined) this.#add(char + next)
    return at + 2
  }

  #quoted(start: number, quote: string): number {
    this.#add(quote)
    for (let at = start + 1; at < this.#chars.length; at++) {
      const char = this.#chars[at] as string
      if (char === this.#escape && quote !== "'") {
        const next = this.#chars[++at]
        if (next !== undefined) this.#add(char + next)
        continue
      }
      this.#add(char)
      if (char === quote) return at + 1
    }
    return this.#chars.length
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text
  }

  #end(): void {
    if (this.#word !== undefined) this.#words.push(this.#word)
    this.#word = undefined
  }
}
