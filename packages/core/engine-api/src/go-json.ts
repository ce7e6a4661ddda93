import { type EngineError, invalid } from '@berth/base'

/**
 * The first JSON value of `text`. Errors are `invalid` with the words of Go's encoding/json, which clients and their
 * tests compare. The happy path is the built-in parser; the scanner below only finds the words for a failure.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw syntaxError(text)
  }
}

function syntaxError(text: string): EngineError {
  const message = new Scanner(text).firstError()
  return message === undefined ? invalid('unexpected content after JSON') : invalid(`invalid JSON: ${message}`)
}

/** Deeper nesting is refused, as Go's decoder does. */
const maxDepth = 10_000
const literals: Record<string, string> = { t: 'true', f: 'false', n: 'null' }
const hex = /^[0-9a-fA-F]$/
const isDigit = (character: string): boolean => character >= '0' && character <= '9'

class SyntaxFault extends Error {}

/** Walks one JSON value with an explicit stack, so that deep input cannot exhaust the call stack. */
class Scanner {
  readonly #text: string
  #at = 0
  readonly #open: ('{' | '[')[] = []

  constructor(text: string) {
    this.#text = text
  }

  /** What is wrong with the first value; undefined when it is whole, so that the fault lies behind it. */
  firstError(): string | undefined {
    try {
      this.#value()
      return undefined
    } catch (error) {
      if (error instanceof SyntaxFault) return error.message
      throw error
    }
  }

  #value(): void {
    do {
      this.#start()
      while (this.#open.length > 0 && this.#afterValue());
    } while (this.#open.length > 0)
  }

  /** Reads a scalar whole, or opens a container and goes to where its first value begins. */
  #start(): void {
    for (;;) {
      const character = this.#next()
      if (character === '"') return this.#string()
      if (character in literals) return this.#literal(literals[character]!)
      if (character === '-' || isDigit(character)) return this.#number(character)
      if (character !== '{' && character !== '[') throw this.#fault(character, 'looking for beginning of value')
      if (this.#open.push(character) > maxDepth) throw new SyntaxFault('exceeded max depth')
      if (this.#closesAtOnce(character)) return
      if (character === '{') this.#key()
    }
  }

  #closesAtOnce(opened: string): boolean {
    const character = this.#peek()
    if (character !== (opened === '{' ? '}' : ']')) return false
    this.#at++
    this.#open.pop()
    return true
  }

  /** Goes past a comma (false: another value follows) or past a closing bracket (true: look again). */
  #afterValue(): boolean {
    const inObject = this.#open.at(-1) === '{'
    const character = this.#next()
    if (character === (inObject ? '}' : ']')) {
      this.#open.pop()
      return true
    }
    if (character !== ',')
      throw this.#fault(character, inObject ? 'after object key:value pair' : 'after array element')
    if (inObject) this.#key()
    return false
  }

  #key(): void {
    const character = this.#next()
    if (character !== '"') throw this.#fault(character, 'looking for beginning of object key string')
    this.#string()
    const colon = this.#next()
    if (colon !== ':') throw this.#fault(colon, 'after object key')
  }

  #string(): void {
    for (;;) {
      const character = this.#raw()
      if (character === '"') return
      if (character < ' ') throw this.#fault(character, 'in string literal')
      if (character === '\\') this.#escape()
    }
  }

  #escape(): void {
    const character = this.#raw()
    if (character !== 'u') {
      if (!'"\\/bfnrt'.includes(character)) throw this.#fault(character, 'in string escape code')
      return
    }
    for (let i = 0; i < 4; i++) {
      const digit = this.#raw()
      if (!hex.test(digit)) throw this.#fault(digit, 'in \\u hexadecimal character escape')
    }
  }

  #literal(word: string): void {
    for (const expected of word.slice(1)) {
      const character = this.#raw()
      if (character !== expected) throw this.#fault(character, `in literal ${word} (expecting '${expected}')`)
    }
  }

  #number(first: string): void {
    const leading = first === '-' ? this.#digit('in numeric literal') : first
    if (leading !== '0') this.#digits()
    if (this.#text[this.#at] === '.') {
      this.#at++
      this.#digit('after decimal point in numeric literal')
      this.#digits()
    }
    const exponent = this.#text[this.#at]
    if (exponent !== 'e' && exponent !== 'E') return
    this.#at++
    if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at++
    this.#digit('in exponent of numeric literal')
    this.#digits()
  }

  #digit(where: string): string {
    const character = this.#raw()
    if (!isDigit(character)) throw this.#fault(character, where)
    return character
  }

  #digits(): void {
    while (this.#at < this.#text.length && isDigit(this.#text[this.#at]!)) this.#at++
  }

  #peek(): string | undefined {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '-')) this.#at++
    return this.#text[this.#at]
  }

  #next(): string {
    this.#peek()
    return this.#raw()
  }

  #raw(): string {
    const character = this.#text[this.#at++]
    if (character === undefined) throw new SyntaxFault('unexpected EOF')
    return character
  }

  #fault(character: string, where: string): SyntaxFault {
    return new SyntaxFault(`invalid character ${quoteCharacter(character)} ${where}`)
  }
}

function quoteCharacter(character: string): string {
  if (character === "'") return String.raw`'\''`
  if (character === '"') return `'"'`
  return `'${JSON.stringify(character).slice(1, -1)}'`
}
