import { refuse } from './diagnostic.ts'
import type { Token, TokenType } from './tokens.ts'

const greatestDepth = 200

/** Walks over tokens; inside brackets, newlines are not seen. */
export class TokenReader {
  readonly #tokens: readonly Token[]
  readonly #sees: boolean[] = [true]
  #at = 0
  #previous: Token
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
    this.#previous = { ...tokens[0]!, end: tokens[0]!.start }
  }

  /** The token that was read last. */
  get previous(): Token {
    return this.#previous
  }

  peek(): Token {
    let at = this.#at
    if (!this.#sees.at(-1)!) while (this.#tokens[at]!.type === 'newline') at++
    return this.#tokens[at]!
  }

  read(): Token {
    const token = this.peek()
    this.#at = token.type === 'end' ? this.#tokens.length - 1 : this.#tokens.indexOf(token, this.#at) + 1
    this.#previous = token
    return token
  }

  /** Reads the next token when it is of that type. */
  take(type: TokenType): Token | undefined {
    return this.peek().type === type ? this.read() : undefined
  }

  isKeyword(word: string): boolean {
    const { type, text } = this.peek()
    return type === 'identifier' && text === word
  }

  /** Does `parse` with newlines seen or not. */
  withNewlines<T>(seen: boolean, parse: () => T): T {
    this.#sees.push(seen)
    try {
      return parse()
    } finally {
      this.#sees.pop()
    }
  }

  /** Does `parse`, one level deeper; refuses what is nested more deeply than anybody writes. */
  nested<T>(parse: () => T): T {
    if (this.#depth === greatestDepth) {
      refuse('Too deeply nested', `Expressions may be nested ${greatestDepth} levels deep.`, this.peek())
    }
    this.#depth++
    try {
      return parse()
    } finally {
      this.#depth--
    }
  }
}
