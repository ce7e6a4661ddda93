export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'identifier'
  | 'keyword'
  | 'field'
  | 'variable'
  | 'string'
  | 'char'
  | 'number'
  | 'bool'
  | 'nil'
  | 'dot'
  | 'pipe'
  | 'declare'
  | 'assign'
  | 'leftParen'
  | 'rightParen'
  | 'punctuation'
  | 'error'
  | 'eof'

export interface Token {
  readonly kind: TokenKind
  readonly pos: number
  /** The source text, or the message of an error token. */
  readonly text: string
}

const keywords = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with'])
const spaces = ' \t\r\n'

/** Splits a template into tokens; the last one is `eof` or `error`. */
export function tokenize(source: string): Token[] {
  const lexer = new Lexer(source)
  lexer.run()
  return lexer.tokens
}

class Lexer {
  readonly tokens: Token[] = []
  readonly #source: string
  #pos = 0
  #parens = 0
  #failed = false

  constructor(source: string) {
    this.#source = source
  }

  run(): void {
    let trim = false
    while (!this.#failed) {
      const open = this.#source.indexOf('{{', this.#pos)
      this.#text(open < 0 ? this.#source.length : open, trim, open >= 0)
      if (open < 0) {
        this.#emit('eof', '')
        return
      }
      trim = this.#action(open)
    }
  }

  #text(end: number, trimLeft: boolean, actionFollows: boolean): void {
    let text = this.#source.slice(this.#pos, end)
    if (trimLeft) text = text.replace(/^[ \t\r\n]+/, '')
    if (actionFollows && this.#trimsLeft(end)) text = text.replace(/(?<![ \t\r\n])[ \t\r\n]+$/, '')
    if (text !== '') this.tokens.push({ kind: 'text', pos: this.#pos, text })
    this.#pos = end
  }

  #trimsLeft(open: number): boolean {
    return this.#source[open + 2] === '-' && spaces.includes(this.#source[open + 3] ?? 'x')
  }

  /** One action from its `{{`; true if its closing delimiter trims the text that follows. */
  #action(open: number): boolean {
    const inner = open + 2 + (this.#trimsLeft(open) ? 2 : 0)
    if (this.#source.startsWith('/*', inner)) return this.#comment(inner)
    this.tokens.push({ kind: 'open', pos: open, text: '{{' })
    this.#pos = inner
    this.#parens = 0
    while (!this.#failed) {
      const close = this.#closing(this.#pos)
      if (close !== undefined) return this.#close(close)
      this.#inside()
    }
    return false
  }

  /** The length of the closing delimiter at `at`, with its trim marker. */
  #closing(at: number): { length: number; trim: boolean } | undefined {
    if (this.#source.startsWith('}}', at)) return { length: 2, trim: false }
    const trims = spaces.includes(this.#source[at] ?? 'x') && this.#source.startsWith('-}}', at + 1)
    return trims ? { length: 4, trim: true } : undefined
  }

  #close(close: { length: number; trim: boolean }): boolean {
    if (this.#parens > 0) return this.#fail('unclosed left paren')
    this.tokens.push({ kind: 'close', pos: this.#pos, text: '}}' })
    this.#pos += close.length
    return close.trim
  }

  #comment(start: number): boolean {
    const end = this.#source.indexOf('*/', start)
    if (end < 0) return this.#fail('unclosed comment')
    const close = this.#closing(end + 2)
    if (close === undefined) return this.#fail('comment ends before closing delimiter')
    this.#pos = end + 2 + close.length
    return close.trim
  }

  #inside(): void {
    const char = this.#source[this.#pos]
    if (char === undefined) this.#fail('unclosed action')
    else if (spaces.includes(char)) this.#space()
    else if (char === '"') this.#quoted('"', 'string', 'unterminated quoted string')
    else if (char === "'") this.#quoted("'", 'char', 'unterminated character constant')
    else if (char === '`') this.#raw()
    else if (char === '$') this.#named('variable')
    else if (char === '.' && !isDigit(this.#source[this.#pos + 1])) this.#field()
    else if (char === '.' || char === '+' || char === '-' || isDigit(char)) this.#number()
    else if (isWord(char)) this.#word()
    else this.#punctuation(char)
  }

  #space(): void {
    const start = this.#pos
    while (spaces.includes(this.#source[this.#pos] ?? 'x') && this.#closing(this.#pos) === undefined) this.#pos++
    this.tokens.push({ kind: 'space', pos: start, text: ' ' })
  }

  #quoted(quote: string, kind: TokenKind, problem: string): void {
    let end = this.#pos + 1
    while (this.#source[end] !== quote) {
      if (end >= this.#source.length || this.#source[end] === '\n') return void this.#fail(problem)
      end += this.#source[end] === '\\' ? 2 : 1
    }
    this.#take(kind, end + 1)
  }

  #raw(): void {
    const end = this.#source.indexOf('`', this.#pos + 1)
    if (end < 0) this.#fail('unterminated raw quoted string')
    else this.#take('string', end + 1)
  }

  #named(kind: TokenKind): void {
    let end = this.#pos + 1
    while (isWord(this.#source[end])) end++
    if (this.#terminated(end)) this.#take(kind, end)
  }

  #field(): void {
    if (isWord(this.#source[this.#pos + 1])) this.#named('field')
    else if (this.#terminated(this.#pos + 1)) this.#take('dot', this.#pos + 1)
  }

  #number(): void {
    const match = /^[+-]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9_]+)?)/.exec(
      this.#source.slice(this.#pos),
    )
    const text = match?.[0] ?? ''
    const after = this.#source[this.#pos + text.length]
    if (!/[0-9]/.test(text) || isWord(after)) {
      this.#fail(`bad number syntax: ${JSON.stringify(text + (after ?? ''))}`)
    } else this.#take('number', this.#pos + text.length)
  }

  #word(): void {
    let end = this.#pos
    while (isWord(this.#source[end])) end++
    if (!this.#terminated(end)) return
    const word = this.#source.slice(this.#pos, end)
    if (keywords.has(word)) this.#take('keyword', end)
    else if (word === 'true' || word === 'false') this.#take('bool', end)
    else this.#take(word === 'nil' ? 'nil' : 'identifier', end)
  }

  #punctuation(char: string): void {
    if (char === ':' && this.#source[this.#pos + 1] !== '=') this.#fail('expected :=')
    else if (char === ':') this.#take('declare', this.#pos + 2)
    else if (char === '=') this.#take('assign', this.#pos + 1)
    else if (char === '|') this.#take('pipe', this.#pos + 1)
    else if (char === '(') this.#paren('leftParen', 1)
    else if (char === ')' && this.#parens === 0) this.#fail('unexpected right paren')
    else if (char === ')') this.#paren('rightParen', -1)
    else if (char > ' ' && char <= '~') this.#take('punctuation', this.#pos + 1)
    else this.#fail(`unrecognized character in action: ${unicodeName(this.#source.codePointAt(this.#pos) ?? 0)}`)
  }

  #paren(kind: TokenKind, step: number): void {
    this.#parens += step
    this.#take(kind, this.#pos + 1)
  }

  /** Whether a word may end at `at`; fails if not. */
  #terminated(at: number): boolean {
    const next = this.#source[at]
    if (next === undefined || `${spaces}.,|:()`.includes(next) || this.#source.startsWith('}}', at)) return true
    this.#pos = at
    return this.#fail(`bad character ${unicodeName(this.#source.codePointAt(at) ?? 0)}`)
  }

  #take(kind: TokenKind, end: number): void {
    this.tokens.push({ kind, pos: this.#pos, text: this.#source.slice(this.#pos, end) })
    this.#pos = end
  }

  #emit(kind: TokenKind, text: string): void {
    this.tokens.push({ kind, pos: this.#pos, text })
  }

  #fail(message: string): false {
    this.#failed = true
    this.#emit('error', message)
    return false
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9'
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[\p{L}\p{Nd}_]/u.test(char)
}

/** As Go's %#U. */
function unicodeName(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`
}
