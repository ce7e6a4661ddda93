import { TemplateError } from './errors.ts'
import { tokenize, type Token, type TokenKind } from './lexer.ts'
import type { Command, Node, Operand, Pipe } from './nodes.ts'
import { unquote } from './quote.ts'
import { GoFloat } from './value.ts'

/** What a parsed text defines: the main template under its own name, and those of define and block. */
export type TemplateSet = Map<string, readonly Node[]>

export interface ParseOptions {
  readonly name: string
  readonly hasFunction: (name: string) => boolean
}

type Ending = 'eof' | 'end' | 'else'
interface Block {
  readonly nodes: Node[]
  readonly ending: Ending
  readonly pos: number
}

export function parse(source: string, options: ParseOptions): TemplateSet {
  return new Parser(source, options).parse()
}

/** Nested deeper than this, a template is refused rather than risk the stack. */
const maxDepth = 500

class Parser {
  readonly #source: string
  readonly #options: ParseOptions
  readonly #tokens: Token[]
  readonly #set: TemplateSet = new Map()
  #at = 0
  #variables: string[] = ['$']
  #rangeDepth = 0
  #depth = 0

  constructor(source: string, options: ParseOptions) {
    this.#source = source
    this.#options = options
    this.#tokens = tokenize(source)
  }

  parse(): TemplateSet {
    const block = this.#block(true)
    if (block.ending !== 'eof') this.#fail(`unexpected {{${block.ending}}}`)
    this.#set.set(this.#options.name, block.nodes)
    return this.#set
  }

  #block(top: boolean): Block {
    const nodes: Node[] = []
    for (;;) {
      const token = this.#next()
      if (token.kind === 'eof') {
        if (!top) this.#fail('unexpected EOF')
        return { nodes, ending: 'eof', pos: token.pos }
      }
      if (token.kind === 'text') nodes.push({ kind: 'text', pos: token.pos, text: token.text })
      else if (token.kind !== 'open') this.#unexpected(token, 'input')
      else {
        const result = this.#action(top)
        if (typeof result === 'string') return { nodes, ending: result, pos: token.pos }
        if (result !== undefined) nodes.push(result)
      }
    }
  }

  /** A node; undefined for a definition; the name of the keyword that ends the block. */
  #action(top: boolean): Node | 'end' | 'else' | undefined {
    const token = this.#nextSolid()
    if (token.kind !== 'keyword') {
      this.#back()
      return { kind: 'action', pos: this.#peek().pos, pipe: this.#pipeline('command', 'close') }
    }
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(token.text, token.pos)
      case 'template':
        return this.#template()
      case 'block':
        return this.#blockAction()
      case 'define':
        if (!top) this.#unexpected(token, 'command')
        return this.#define()
      case 'break':
      case 'continue':
        return this.#jump(token.text, token.pos)
      case 'end':
        this.#expect('close', 'end')
        return 'end'
      default:
        return this.#else()
    }
  }

  /** `{{else}}`, or `{{else if` and `{{else with`, whose keyword is left for the branch to read. */
  #else(): 'else' {
    const next = this.#peekSolid()
    if (next.kind === 'keyword' && (next.text === 'if' || next.text === 'with')) return 'else'
    this.#expect('close', 'else')
    return 'else'
  }

  #jump(kind: 'break' | 'continue', pos: number): Node {
    const token = this.#nextSolid()
    if (token.kind !== 'close') this.#unexpected(token, `{{${kind}}}`)
    if (this.#rangeDepth === 0) this.#fail(`{{${kind}}} outside {{range}}`)
    return { kind, pos }
  }

  #branch(kind: 'if' | 'with' | 'range', pos: number): Node {
    const scope = this.#variables.length
    if (++this.#depth > maxDepth) this.#fail('max expression depth exceeded')
    const pipe = this.#pipeline(kind, 'close')
    if (kind === 'range') this.#rangeDepth++
    const body = this.#block(false)
    if (kind === 'range') this.#rangeDepth--
    const otherwise = body.ending === 'else' ? this.#otherwise(kind) : []
    this.#variables.length = scope
    this.#depth--
    return { kind, pos, pipe, body: body.nodes, otherwise }
  }

  #otherwise(kind: 'if' | 'with' | 'range'): readonly Node[] {
    const next = this.#peekSolid()
    if (next.kind === 'keyword' && this.#inElse()) {
      if (next.text !== kind) this.#unexpected(next, 'else')
      this.#nextSolid()
      return [this.#branch(kind, next.pos)]
    }
    const block = this.#block(false)
    if (block.ending !== 'end') this.#fail('expected end; found {{else}}')
    return block.nodes
  }

  /** Whether the `else` just read has not met its closing delimiter. */
  #inElse(): boolean {
    for (let at = this.#at - 1; at >= 0; at--) {
      const token = this.#tokens[at]
      if (token?.kind !== 'space') return token?.kind === 'keyword' && token.text === 'else'
    }
    return false
  }

  #template(): Node {
    const pos = this.#peekSolid().pos
    const name = this.#templateName('template clause')
    if (this.#peekSolid().kind === 'close') {
      this.#nextSolid()
      return { kind: 'template', pos, name, pipe: undefined }
    }
    return { kind: 'template', pos, name, pipe: this.#pipeline('template clause', 'close') }
  }

  #blockAction(): Node {
    const pos = this.#peekSolid().pos
    const name = this.#templateName('block clause')
    const pipe = this.#pipeline('block clause', 'close')
    this.#definition(name, 'block clause')
    return { kind: 'template', pos, name, pipe }
  }

  #define(): undefined {
    const name = this.#templateName('define clause')
    this.#expect('close', 'define clause')
    this.#definition(name, 'define clause')
  }

  #definition(name: string, context: string): void {
    const outer = this.#variables
    const range = this.#rangeDepth
    this.#variables = ['$']
    this.#rangeDepth = 0
    const block = this.#block(false)
    if (block.ending !== 'end') this.#fail(`unexpected {{${block.ending}}} in ${context}`)
    this.#variables = outer
    this.#rangeDepth = range
    this.#set.set(name, block.nodes)
  }

  #templateName(context: string): string {
    const token = this.#nextSolid()
    if (token.kind !== 'string') return this.#unexpected(token, context)
    return unquote(token.text) ?? this.#fail(`invalid syntax`)
  }

  #pipeline(context: string, end: TokenKind): Pipe {
    const pos = this.#peekSolid().pos
    const { variables, assigns } = this.#declarations(context)
    const commands: Command[] = []
    for (;;) {
      const token = this.#nextSolid()
      if (token.kind === end) break
      if (!startsOperand(token)) this.#unexpected(token, context)
      this.#back()
      commands.push(this.#command())
    }
    this.#checkPipeline(commands, context)
    return { kind: 'pipe', pos, variables, assigns, commands }
  }

  #checkPipeline(commands: readonly Command[], context: string): void {
    if (commands.length === 0) this.#fail(`missing value for ${context}`)
    commands.slice(1).forEach((command, index) => {
      const kind = command.operands[0]?.kind
      if (kind === 'bool' || kind === 'dot' || kind === 'nil' || kind === 'number' || kind === 'string') {
        this.#fail(`non executable command in pipeline stage ${index + 2}`)
      }
    })
  }

  #declarations(context: string): { variables: string[]; assigns: boolean } {
    const none = { variables: [], assigns: false }
    const start = this.#at
    const first = this.#nextSolid()
    if (first.kind !== 'variable') return this.#rewind(start, none)
    const variables = [first.text]
    let token = this.#nextSolid()
    if (token.kind === 'punctuation' && token.text === ',') {
      const second = this.#nextSolid()
      if (context !== 'range' || second.kind !== 'variable') return this.#fail(`too many declarations in ${context}`)
      variables.push(second.text)
      token = this.#nextSolid()
    }
    if (token.kind !== 'declare' && token.kind !== 'assign') return this.#rewind(start, none)
    if (token.kind === 'declare') this.#variables.push(...variables)
    else for (const name of variables) this.#known(name)
    return { variables, assigns: token.kind === 'assign' }
  }

  #command(): Command {
    const pos = this.#peekSolid().pos
    const operands: Operand[] = []
    for (;;) {
      this.#peekSolid()
      const operand = this.#operand()
      if (operand !== undefined) operands.push(operand)
      const token = this.#next()
      if (token.kind === 'space') continue
      if (token.kind === 'close' || token.kind === 'rightParen') this.#back()
      else if (token.kind !== 'pipe') this.#unexpected(token, 'operand')
      break
    }
    if (operands.length === 0) this.#fail('empty command')
    return { kind: 'command', pos, operands }
  }

  #operand(): Operand | undefined {
    const base = this.#term()
    if (base === undefined || this.#peek().kind !== 'field') return base
    const pos = this.#peek().pos
    const path: string[] = []
    while (this.#peek().kind === 'field') path.push(this.#next().text.slice(1))
    switch (base.kind) {
      case 'field':
      case 'variable':
        return { ...base, pos, path: [...base.path, ...path] }
      case 'bool':
      case 'string':
      case 'number':
      case 'nil':
      case 'dot':
        return this.#fail(`unexpected . after term ${JSON.stringify(this.#tokens[this.#at - path.length - 1]?.text)}`)
      default:
        return { kind: 'chain', pos, base, path }
    }
  }

  #term(): Operand | undefined {
    const token = this.#nextSolid()
    const pos = token.pos
    switch (token.kind) {
      case 'identifier':
        if (!this.#options.hasFunction(token.text)) this.#fail(`function ${JSON.stringify(token.text)} not defined`)
        return { kind: 'function', pos, name: token.text }
      case 'dot':
      case 'nil':
        return { kind: token.kind, pos }
      case 'variable':
        this.#known(token.text)
        return { kind: 'variable', pos, name: token.text, path: [] }
      case 'field':
        return { kind: 'field', pos, path: [token.text.slice(1)] }
      case 'bool':
        return { kind: 'bool', pos, value: token.text === 'true' }
      case 'char':
      case 'number':
        return { kind: 'number', pos, value: this.#numberOf(token), text: token.text }
      case 'string':
        return { kind: 'string', pos, value: unquote(token.text) ?? this.#fail('invalid syntax'), text: token.text }
      case 'leftParen':
        return this.#parenthesized()
      default:
        this.#back()
        return undefined
    }
  }

  #parenthesized(): Pipe {
    if (++this.#depth > maxDepth) this.#fail('max expression depth exceeded')
    const pipe = this.#pipeline('parenthesized pipeline', 'rightParen')
    this.#depth--
    return pipe
  }

  /** A literal that looks like a float is one, even when it is whole. */
  #numberOf(token: Token): number | GoFloat {
    if (token.kind === 'char') {
      const text = unquote(token.text)
      return text?.codePointAt(0) ?? this.#fail(`malformed character constant: ${token.text}`)
    }
    const plain = token.text.replaceAll('_', '')
    const sign = plain.startsWith('-') ? -1 : 1
    const digits = plain.replace(/^[+-]/, '')
    const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits)
    return Number.isNaN(value)
      ? this.#fail(`illegal number syntax: ${JSON.stringify(token.text)}`)
      : literal(digits, sign * value)
  }

  #known(name: string): void {
    if (!this.#variables.includes(name)) this.#fail(`undefined variable ${JSON.stringify(name)}`)
  }

  #expect(kind: TokenKind, context: string): Token {
    const token = this.#nextSolid()
    return token.kind === kind ? token : this.#unexpected(token, context)
  }

  #next(): Token {
    const token = this.#tokens[this.#at] ?? this.#tokens.at(-1)
    if (token === undefined) throw new Error('a tokenized template has at least one token')
    if (this.#at < this.#tokens.length) this.#at++
    return token
  }

  #nextSolid(): Token {
    let token = this.#next()
    while (token.kind === 'space') token = this.#next()
    return token
  }

  #peek(): Token {
    const token = this.#next()
    this.#back()
    return token
  }

  /** Skips spaces, then peeks. */
  #peekSolid(): Token {
    const token = this.#nextSolid()
    this.#back()
    return token
  }

  #back(): void {
    this.#at--
  }

  #rewind<T>(at: number, value: T): T {
    this.#at = at
    return value
  }

  #unexpected(token: Token, context: string): never {
    if (token.kind === 'error') return this.#fail(token.text)
    return this.#fail(`unexpected ${describeToken(token)} in ${context}`)
  }

  #fail(message: string): never {
    const end = this.#tokens[Math.max(0, this.#at - 1)]?.pos ?? 0
    const line = this.#source.slice(0, end).split('\n').length
    throw new TemplateError(`template: ${this.#options.name}:${line}: ${message}`)
  }
}

function literal(digits: string, value: number): number | GoFloat {
  return !/^0[xX]/.test(digits) && /[.eEpP]/.test(digits) && Number.isInteger(value) ? new GoFloat(value) : value
}

function startsOperand(token: Token): boolean {
  switch (token.kind) {
    case 'bool':
    case 'char':
    case 'dot':
    case 'field':
    case 'identifier':
    case 'number':
    case 'nil':
    case 'string':
    case 'variable':
    case 'leftParen':
      return true
    default:
      return false
  }
}

function describeToken(token: Token): string {
  if (token.kind === 'eof') return 'EOF'
  if (token.kind === 'keyword' || token.kind === 'dot' || token.kind === 'nil') return `<${token.text}>`
  return token.text.length > 10 ? `${JSON.stringify(token.text.slice(0, 10))}...` : JSON.stringify(token.text)
}
