import { invalid, linearRegExp } from '@berth/base'

/** Variable names to values. */
export type Environment = ReadonlyMap<string, string>

export interface Expanding {
  readonly environment: Environment
  /** Default a backslash. */
  readonly escape?: string
  /** Quotes and escapes stay: for documents. */
  readonly isRaw?: boolean
  /** Variables that are not set stay as they are written. */
  readonly keepsUnset?: boolean
  /** Told of each variable that is asked for and not set. */
  readonly onUnset?: (name: string) => void
}

/**
 * Removes quotes and expands `$x`, `${x}` and `${x:-word}` with its kin, as a Dockerfile does. Throws `invalid`.
 * https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandWord(word: string, expanding: Expanding): string {
  return isPlainWord(word, expanding.escape) ? word : expand(word, expanding).text
}

/** There is nothing to expand in it, and no quote: most words are so. */
export const isPlainWord = (word: string, escape = '\\'): boolean => !/["'$]/.test(word) && !word.includes(escape)

/** As `expandWord`, and splits at spaces that are not quoted, also those out of a variable. */
export function expandWords(word: string, expanding: Expanding): string[] {
  return expand(word, expanding).words
}

function expand(word: string, expanding: Expanding): Expansion {
  try {
    return new Expander(word, expanding).run()
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid(`failed to process ${JSON.stringify(word)}: ${error.message}`)
    throw error
  }
}

interface Expansion {
  readonly text: string
  readonly words: string[]
}

/** Collects the text and, beside it, its words. */
class Collector {
  text = ''
  readonly #words: string[] = []
  #word = ''

  add(text: string): void {
    this.text += text
    for (const char of text) {
      if (/\s/.test(char)) this.#endWord()
      else this.#word += char
    }
  }

  addQuoted(text: string): void {
    this.text += text
    this.#word += text
  }

  finish(): Expansion {
    this.#endWord()
    return { text: this.text, words: this.#words }
  }

  #endWord(): void {
    if (this.#word) this.#words.push(this.#word)
    this.#word = ''
  }
}

class Expander {
  readonly #chars: readonly string[]
  readonly #environment: Environment
  readonly #escape: string
  readonly #isRaw: boolean
  readonly #keepsUnset: boolean
  readonly #onUnset: (name: string) => void
  #at = 0
  #keepsEscapes = false

  constructor(word: string, { environment, escape = '\\', isRaw, keepsUnset, onUnset }: Expanding) {
    this.#chars = [...word]
    this.#environment = environment
    this.#escape = escape
    this.#isRaw = isRaw ?? false
    this.#keepsUnset = keepsUnset ?? false
    this.#onUnset = onUnset ?? (() => {})
  }

  run(stop?: string): Expansion {
    const out = new Collector()
    while (this.#at < this.#chars.length) {
      const char = this.#chars[this.#at] as string
      if (char === stop) {
        this.#at++
        return out.finish()
      }
      if (char === "'" && !this.#isRaw) out.addQuoted(this.#singleQuoted())
      else if (char === '"' && !this.#isRaw) out.addQuoted(this.#doubleQuoted())
      else if (char === '$') out.add(this.#dollar())
      else if (char === this.#escape) out.addQuoted(this.#escaped())
      else out.add(this.#next())
    }
    if (stop !== undefined) throw new SyntaxError("syntax error: missing '}'")
    return out.finish()
  }

  #next(): string {
    return this.#chars[this.#at++] ?? ''
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #escaped(): string {
    const escape = this.#next()
    // In a document it only keeps a dollar from being one.
    if (this.#isRaw) return this.#peek() === '$' ? this.#next() : escape
    return (this.#keepsEscapes ? escape : '') + this.#next()
  }

  #singleQuoted(): string {
    this.#at++
    const end = this.#chars.indexOf("'", this.#at)
    if (end < 0) throw new SyntaxError('unexpected end of statement while looking for matching single-quote')
    const text = this.#chars.slice(this.#at, end).join('')
    this.#at = end + 1
    return text
  }

  #doubleQuoted(): string {
    this.#at++
    let text = ''
    for (;;) {
      const char = this.#peek()
      if (char === undefined) {
        throw new SyntaxError('unexpected end of statement while looking for matching double-quote')
      }
      if (char === '$') {
        text += this.#dollar()
        continue
      }
      this.#at++
      if (char === '"') return text
      text += char === this.#escape ? this.#escapedInQuotes() : char
    }
  }

  /** Inside double quotes a backslash means something only before these three. */
  #escapedInQuotes(): string {
    const next = this.#peek()
    if (next === undefined) return ''
    const known = next === '"' || next === '$' || next === this.#escape
    return (known ? '' : this.#escape) + this.#next()
  }

  #dollar(): string {
    this.#at++
    if (this.#peek() !== '{') {
      const name = this.#name()
      return name === '' ? '$' : this.#value(name, `$${name}`)
    }
    this.#at++
    const first = this.#peek()
    if (first === undefined) throw new SyntaxError("syntax error: missing '}'")
    if ('{}:'.includes(first)) throw new SyntaxError('syntax error: bad substitution')
    const name = this.#name()
    const operator = this.#next()
    if (operator === '}') return this.#value(name, `\${${name}}`)
    if (operator === '/') return this.#replaced(name)
    return operator === ':' ? this.#modified(name, this.#next(), true) : this.#modified(name, operator, false)
  }

  #value(name: string, written: string): string {
    const value = this.#environment.get(name)
    if (value !== undefined) return value
    this.#onUnset(name)
    return this.#keepsUnset ? written : ''
  }

  #modified(name: string, modifier: string, emptyIsUnset: boolean): string {
    if (!'+-?#%'.includes(modifier) || modifier === '') {
      const written = (emptyIsUnset ? ':' : '') + (modifier || '\uFFFD')
      throw new SyntaxError(`unsupported modifier (${written}) in substitution`)
    }
    const word = this.#operand(modifier === '#' || modifier === '%')
    const value = this.#environment.get(name)
    if (value === undefined) this.#onUnset(name)
    const isSet = value !== undefined && !(emptyIsUnset && value === '')
    switch (modifier) {
      case '-':
        return isSet ? value : word
      case '+':
        return isSet ? word : ''
      case '?':
        if (isSet) return value
        throw new SyntaxError(`${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`)
      default:
        return trim(value ?? '', modifier, word)
    }
  }

  /** `${x/pattern/text}`; with a doubled slash, every match. */
  #replaced(name: string): string {
    const isEvery = this.#peek() === '/'
    if (isEvery) this.#at++
    const pattern = this.#operand(true, '/')
    const replacement = this.#operand(false)
    const value = this.#environment.get(name)
    if (value === undefined) this.#onUnset(name)
    return replace(value ?? '', { pattern, replacement, isEvery })
  }

  #operand(keepsEscapes: boolean, stop = '}'): string {
    const before = this.#keepsEscapes
    this.#keepsEscapes = keepsEscapes
    const { text } = this.run(stop)
    this.#keepsEscapes = before
    return text
  }

  #name(): string {
    const rest = this.#chars.slice(this.#at, this.#at + 1024).join('')
    const [name = ''] = /^(?:\d+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest) ?? []
    this.#at += [...name].length
    return name
  }
}

/** `${x#pattern}` and `${x%pattern}`: cuts the shortest match off the start or the end; doubled, the longest. */
function trim(value: string, modifier: string, word: string): string {
  const isLongest = word.startsWith(modifier)
  const parts = partsOf(isLongest ? word.slice(1) : word)
  if (modifier === '#') return value.replace(toRegExp(parts, { isAtStart: true, isLongest }), '')
  // The end is the start from behind.
  return reversed(reversed(value).replace(toRegExp(parts.toReversed(), { isAtStart: true, isLongest }), ''))
}

const reversed = (text: string): string => [...text].toReversed().join('')

interface Replacing {
  readonly pattern: string
  readonly replacement: string
  readonly isEvery: boolean
}

/** Replaces what a shell pattern matches, each time the longest. */
function replace(value: string, { pattern, replacement, isEvery }: Replacing): string {
  let isDone = false
  return value.replaceAll(toRegExp(partsOf(pattern), { isAtStart: false, isLongest: true }), (found) => {
    if (found === '' || isDone) return found
    isDone = !isEvery
    return replacement
  })
}

interface Part {
  readonly text: string
  readonly isLiteral: boolean
}

/** Of a shell pattern of `*` and `?`; a backslash escapes. */
function partsOf(pattern: string): Part[] {
  return [...pattern.matchAll(/\\([^])|[^]/gu)].map(([text, escaped]) => ({
    text: escaped ?? text,
    isLiteral: escaped !== undefined || (text !== '*' && text !== '?'),
  }))
}

/** For V8's matcher that does not go back: a star may stand for anything, and there may be many. */
function toRegExp(
  parts: readonly Part[],
  { isAtStart, isLongest }: { readonly isAtStart: boolean; readonly isLongest: boolean },
): RegExp {
  const star = isLongest ? '[^]*' : '[^]*?'
  const sources = parts.map(({ text, isLiteral }) =>
    isLiteral ? RegExp.escape(text) : text === '*' ? star : anyCharacter,
  )
  const source = `${isAtStart ? '^' : ''}${sources.join('')}`
  const flags = isAtStart ? '' : 'g'
  return linearRegExp(source, flags) ?? new RegExp(source, flags)
}

/** That matcher knows a character beyond U+FFFF as two. */
const anyCharacter = '(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[^])'
