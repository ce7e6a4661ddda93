import { invalid } from '@berth/base'

/** Variable names to values. */
export type Environment = ReadonlyMap<string, string>

/**
 * Removes quotes and expands `$x`, `${x}` and `${x:-word}` with its kin, as a Dockerfile does. Throws `invalid`.
 * https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandWord(word: string, environment: Environment): string {
  return expand(word, environment).text
}

/** As `expandWord`, and splits at spaces that are not quoted, also those out of a variable. */
export function expandWords(word: string, environment: Environment): string[] {
  return expand(word, environment).words
}

function expand(word: string, environment: Environment): Expansion {
  try {
    return new Expander(word, environment).run()
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
  #at = 0
  #keepsEscapes = false

  constructor(word: string, environment: Environment) {
    this.#chars = [...word]
    this.#environment = environment
  }

  run(stop?: string): Expansion {
    const out = new Collector()
    while (this.#at < this.#chars.length) {
      const char = this.#chars[this.#at] as string
      if (char === stop) {
        this.#at++
        return out.finish()
      }
      if (char === "'") out.addQuoted(this.#singleQuoted())
      else if (char === '"') out.addQuoted(this.#doubleQuoted())
      else if (char === '$') out.add(this.#dollar())
      else if (char === '\\') out.addQuoted(this.#escaped())
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
    const backslash = this.#next()
    return (this.#keepsEscapes ? backslash : '') + this.#next()
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
      text += char === '\\' ? this.#escapedInQuotes() : char
    }
  }

  /** Inside double quotes a backslash means something only before these three. */
  #escapedInQuotes(): string {
    const next = this.#peek()
    if (next === undefined) return ''
    const known = next === '"' || next === '$' || next === '\\'
    return (known ? '' : '\\') + this.#next()
  }

  #dollar(): string {
    this.#at++
    if (this.#peek() !== '{') {
      const name = this.#name()
      return name === '' ? '$' : (this.#environment.get(name) ?? '')
    }
    this.#at++
    const first = this.#peek()
    if (first === undefined) throw new SyntaxError("syntax error: missing '}'")
    if ('{}:'.includes(first)) throw new SyntaxError('syntax error: bad substitution')
    const name = this.#name()
    const operator = this.#next()
    if (operator === '}') return this.#environment.get(name) ?? ''
    return operator === ':' ? this.#modified(name, this.#next(), true) : this.#modified(name, operator, false)
  }

  #modified(name: string, modifier: string, emptyIsUnset: boolean): string {
    if (!'+-?#%'.includes(modifier) || modifier === '') {
      const written = (emptyIsUnset ? ':' : '') + (modifier || '\uFFFD')
      throw new SyntaxError(`unsupported modifier (${written}) in substitution`)
    }
    const word = this.#operand(modifier === '#' || modifier === '%')
    const value = this.#environment.get(name)
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

  #operand(keepsEscapes: boolean): string {
    const before = this.#keepsEscapes
    this.#keepsEscapes = keepsEscapes
    const { text } = this.run('}')
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
  const longest = word.startsWith(modifier)
  const pattern = longest ? word.slice(1) : word
  const chars = [...value]
  const counts = chars.keys().toArray().concat(chars.length)
  if (longest) counts.reverse()
  const cut = counts.find((count) =>
    matches(pattern, modifier === '#' ? chars.slice(0, count) : chars.slice(chars.length - count)),
  )
  if (cut === undefined) return value
  return (modifier === '#' ? chars.slice(cut) : chars.slice(0, chars.length - cut)).join('')
}

/** A shell pattern of `*` and `?`; a backslash escapes. Backtracks to the last star only. */
function matches(pattern: string, chars: readonly string[]): boolean {
  const parts = [...pattern.matchAll(/\\([^])|[^]/gu)].map(([text, escaped]) => ({
    text: escaped ?? text,
    isLiteral: escaped !== undefined,
  }))
  let part = 0
  let at = 0
  let star: { part: number; at: number } | undefined
  for (;;) {
    const current = parts[part]
    if (current?.text === '*' && !current.isLiteral) {
      star = { part: ++part, at }
    } else if (
      current &&
      at < chars.length &&
      ((current.text === '?' && !current.isLiteral) || current.text === chars[at])
    ) {
      part++
      at++
    } else if (!current && at === chars.length) {
      return true
    } else if (star && star.at < chars.length) {
      star = { part: star.part, at: star.at + 1 }
      part = star.part
      at = star.at
    } else {
      return false
    }
  }
}
