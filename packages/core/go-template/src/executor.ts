import { messageOf } from '@berth/base'
import { TemplateError } from './errors.ts'
import { formatValue } from './format.ts'
import { checkCount, convertArgument, type FunctionTable, type TemplateFunction } from './functions.ts'
import {
  type BranchNode,
  type Command,
  describe,
  type Node,
  type Operand,
  type Pipe,
  type TemplateNode,
} from './nodes.ts'
import type { TemplateSet } from './parser.ts'
import { absentElement, goType, isTrue, kindOf, type Method, sortedEntries, typeName } from './value.ts'

export interface ExecuteOptions {
  /** `error`: a key that a map lacks is an error rather than no value. */
  readonly missingKey?: 'default' | 'error'
  /** The data is of no Go types: JSON as it came. */
  readonly isUntyped?: boolean
  /** What a field that the data lacks, or has as null, is in Go: the zero value of its type. */
  zeroValue?(receiver: object, key: string): unknown
}

export interface Program {
  readonly name: string
  readonly source: string
  readonly set: TemplateSet
  readonly functions: FunctionTable
  readonly options: ExecuteOptions
}

export function execute(program: Program, data: unknown): string {
  return new Executor(program, data).run()
}

/** Output beyond this many characters is refused: `range` over nested data must not fill the memory. */
const maxOutput = 256 * 1024 * 1024
const maxTemplateDepth = 1000

type Jump = 'break' | 'continue' | undefined
interface Variable {
  readonly name: string
  value: unknown
}
const noFinal = Symbol('no final value')
type Final = unknown

class Executor {
  readonly #program: Program
  #out = ''
  #variables: Variable[]
  #current: string
  #depth = 0

  constructor(program: Program, data: unknown) {
    this.#program = program
    this.#variables = [{ name: '$', value: data }]
    this.#current = program.name
  }

  run(): string {
    this.#walkAll(this.#program.set.get(this.#program.name) ?? [], this.#variables[0]?.value)
    return this.#out
  }

  #walkAll(nodes: readonly Node[], dot: unknown): Jump {
    for (const node of nodes) {
      const jump = this.#walk(node, dot)
      if (jump !== undefined) return jump
    }
    return undefined
  }

  #walk(node: Node, dot: unknown): Jump {
    switch (node.kind) {
      case 'text':
        return this.#write(node.text)
      case 'action': {
        const value = this.#pipe(node.pipe, dot)
        return node.pipe.variables.length > 0 ? undefined : this.#print(value, node.pipe)
      }
      case 'break':
      case 'continue':
        return node.kind
      case 'template':
        return this.#template(node, dot)
      case 'range':
        return this.#scoped(() => this.#range(node, dot))
      default:
        return this.#scoped(() => this.#branch(node, dot))
    }
  }

  #scoped(body: () => Jump): Jump {
    const mark = this.#variables.length
    const jump = body()
    this.#variables.length = mark
    return jump
  }

  #branch(node: BranchNode, dot: unknown): Jump {
    const value = this.#pipe(node.pipe, dot)
    if (isTrue(value)) return this.#walkAll(node.body, node.kind === 'with' ? value : dot)
    return this.#walkAll(node.otherwise, dot)
  }

  #range(node: BranchNode, dot: unknown): Jump {
    const value = this.#pipe(node.pipe, dot)
    const entries = this.#entries(value, node.pipe)
    if (entries.length === 0) return this.#walkAll(node.otherwise, dot)
    const mark = this.#variables.length
    for (const [key, element] of entries) {
      this.#bindRange(node.pipe, key, element)
      const jump = this.#walkAll(node.body, element)
      this.#variables.length = mark
      if (jump === 'break') break
    }
    return undefined
  }

  #entries(value: unknown, pipe: Pipe): readonly (readonly [unknown, unknown])[] {
    if (Array.isArray(value)) return value.map((element, index) => [index, element] as const)
    switch (kindOf(value)) {
      case 'int':
        return Array.from({ length: Math.max(0, Number(value)) }, (_none, index) => [index, index] as const)
      case 'map':
        return sortedEntries(value as object)
      case 'slice':
      case 'invalid':
        return []
      default:
        return this.#fail(pipe, `range can't iterate over ${formatValue(value)}`)
    }
  }

  #bindRange(pipe: Pipe, key: unknown, element: unknown): void {
    const [first, second] = pipe.variables
    if (first === undefined) return
    const values = second === undefined ? [element] : [key, element]
    pipe.variables.forEach((name, index) => this.#bind(pipe, name, values[index]))
  }

  #bind(pipe: Pipe, name: string, value: unknown): void {
    const known = pipe.assigns ? this.#variables.findLast((one) => one.name === name) : undefined
    if (known === undefined) this.#variables.push({ name, value })
    else known.value = value
  }

  #template(node: TemplateNode, dot: unknown): undefined {
    const nodes = this.#program.set.get(node.name)
    if (nodes === undefined)
      return this.#failAt(
        node.pos,
        `{{template ${JSON.stringify(node.name)}}}`,
        `template ${JSON.stringify(node.name)} not defined`,
      )
    if (this.#depth >= maxTemplateDepth) this.#failAt(node.pos, node.name, 'exceeded maximum template depth (1000)')
    const value = node.pipe === undefined ? undefined : this.#pipe(node.pipe, dot)
    const [variables, current] = [this.#variables, this.#current]
    this.#variables = [{ name: '$', value }]
    this.#current = node.name
    this.#depth++
    this.#walkAll(nodes, value)
    this.#depth--
    this.#variables = variables
    this.#current = current
    return undefined
  }

  #write(text: string): undefined {
    if (this.#out.length + text.length > maxOutput) throw new TemplateError('template: output is too long')
    this.#out += text
    return undefined
  }

  #print(value: unknown, pipe: Pipe): undefined {
    if (typeof value === 'function') return this.#fail(pipe, `can't print ${describe(pipe)} of type func()`)
    return this.#write(value === undefined || value === null ? '<no value>' : formatValue(value))
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: Final = noFinal
    for (const command of pipe.commands) value = this.#command(command, dot, value)
    if (pipe.variables.length === 1 || !this.#isRangePipe(pipe)) {
      for (const name of pipe.variables) this.#bind(pipe, name, value)
    }
    return value
  }

  /** With two variables, a pipe belongs to a range, which binds them itself. */
  #isRangePipe(pipe: Pipe): boolean {
    return pipe.variables.length === 2
  }

  #command(command: Command, dot: unknown, final: Final): unknown {
    const [first, ...rest] = command.operands
    if (first === undefined) throw new Error('a command has at least one operand')
    switch (first.kind) {
      case 'field':
        return this.#path(first, dot, first.path, { args: rest, final, dot })
      case 'variable':
        return this.#path(first, this.#variable(first.name), first.path, { args: rest, final, dot })
      case 'chain':
        return this.#path(first, this.#operand(first.base, dot), first.path, { args: rest, final, dot })
      case 'function':
        return this.#call(first, { args: rest, final, dot })
      case 'pipe':
        this.#noArguments(first, rest, final)
        return this.#pipe(first, dot)
      default:
        this.#noArguments(first, rest, final)
        if (first.kind === 'nil') return this.#fail(first, 'nil is not a command')
        return this.#operand(first, dot)
    }
  }

  #noArguments(node: Operand, rest: readonly Operand[], final: Final): void {
    if (rest.length > 0 || final !== noFinal) this.#fail(node, `can't give argument to non-function ${describe(node)}`)
  }

  #operand(node: Operand, dot: unknown): unknown {
    switch (node.kind) {
      case 'dot':
        return dot
      case 'nil':
        return null
      case 'bool':
      case 'number':
      case 'string':
        return node.value
      case 'pipe':
        return this.#pipe(node, dot)
      default:
        return this.#command({ kind: 'command', pos: node.pos, operands: [node] }, dot, noFinal)
    }
  }

  #variable(name: string): unknown {
    return this.#variables.findLast((one) => one.name === name)?.value
  }

  #path(node: Operand, base: unknown, path: readonly string[], call: Call): unknown {
    if (path.length === 0) {
      this.#noArguments(node, call.args, call.final)
      return base
    }
    const none: Call = { args: [], final: noFinal, dot: call.dot }
    return path.reduce(
      (value, key, index) => this.#field(node, value, key, index === path.length - 1 ? call : none),
      base,
    )
  }

  #field(node: Operand, receiver: unknown, key: string, call: Call): unknown {
    const kind = kindOf(receiver)
    if (kind === 'invalid') return this.#fieldOfNothing(node, receiver, key)
    if (kind === 'pointer') return this.#fail(node, `nil pointer evaluating interface {}.${key}`)
    if (kind !== 'map')
      return this.#fail(node, `can't evaluate field ${key} in type ${this.#typeOfField(node, receiver)}`)
    const object = receiver as Record<string, unknown>
    const value = Object.hasOwn(object, key) ? object[key] : undefined
    if (typeof value === 'function') return this.#method(node, key, value as Method, call)
    if (call.args.length > 0 || call.final !== noFinal) {
      return this.#fail(node, `${key} is not a method but has arguments`)
    }
    if (value !== undefined && value !== null) return value
    return this.#absent(node, object, key, value)
  }

  /** What is in data without types is an interface to Go, whatever it holds. */
  #typeOfField(node: Operand, receiver: unknown): string {
    const isData = node.kind === 'field' || node.kind === 'variable'
    return isData && this.#program.options.isUntyped === true ? 'interface {}' : typeName(receiver)
  }

  #fieldOfNothing(node: Operand, receiver: unknown, key: string): unknown {
    if (receiver === undefined && this.#program.options.missingKey !== 'error') {
      return this.#fail(node, `nil data; no entry for key ${JSON.stringify(key)}`)
    }
    return this.#fail(node, `nil pointer evaluating interface {}.${key}`)
  }

  #absent(node: Operand, receiver: object, key: string, value: unknown): unknown {
    const zero = this.#program.options.zeroValue?.(receiver, key)
    if (zero !== undefined || value === null) return zero ?? value
    if (absentElement(receiver) !== undefined) return undefined
    if (Object.hasOwn(receiver, goType)) {
      return this.#fail(node, `can't evaluate field ${key} in type ${typeName(receiver)}`)
    }
    if (this.#program.options.missingKey === 'error') {
      return this.#fail(node, `map has no entry for key ${JSON.stringify(key)}`)
    }
    return undefined
  }

  #method(node: Operand, name: string, method: Method, call: Call): unknown {
    const args = this.#arguments(call)
    if (args.length !== method.length) {
      this.#fail(node, `wrong number of args for ${name}: want ${method.length} got ${args.length}`)
    }
    return method(...(args as never[]))
  }

  #call(node: FunctionOperand, call: Call): unknown {
    if (node.name === 'and' || node.name === 'or') return this.#shortCircuit(node, call)
    const spec = this.#program.functions[node.name]
    if (spec === undefined) return this.#fail(node, `${JSON.stringify(node.name)} is not a defined function`)
    const count = call.args.length + (call.final === noFinal ? 0 : 1)
    this.#guard(node, '', () => checkCount(node.name, spec, count))
    const args = call.args.map((arg, index) => this.#argument(spec, index, { operand: arg, dot: call.dot }))
    if (call.final !== noFinal) {
      args.push(this.#guard(node, '', () => convertArgument(spec, call.args.length, call.final)))
    }
    const command: Command = { kind: 'command', pos: node.pos, operands: [node, ...call.args] }
    return this.#guard(command, `error calling ${node.name}: `, () => spec.call(...args))
  }

  #argument(spec: TemplateFunction, index: number, source: { operand: Operand; dot: unknown }): unknown {
    const { operand } = source
    const value = this.#operand(operand, source.dot)
    const type = spec.parameters[index]
    if ((type === 'string' || type === 'int') && isConstant(operand) && kindOf(value) !== type) {
      return this.#fail(operand, `expected ${type === 'int' ? 'integer' : type}; found ${describe(operand)}`)
    }
    return this.#guard(operand, '', () => convertArgument(spec, index, value))
  }

  #guard<T>(node: Operand | Command, prefix: string, body: () => T): T {
    try {
      return body()
    } catch (error) {
      return this.#fail(node, prefix + messageOf(error))
    }
  }

  #shortCircuit(node: FunctionOperand, call: Call): unknown {
    if (call.args.length === 0 && call.final === noFinal) {
      return this.#fail(node, `wrong number of args for ${node.name}: want at least 1 got 0`)
    }
    let value: unknown
    for (const arg of call.args) {
      value = this.#operand(arg, call.dot)
      if (isTrue(value) === (node.name === 'or')) return value
    }
    return call.final === noFinal ? value : call.final
  }

  #arguments({ args, final, dot }: Call): unknown[] {
    const values = args.map((arg) => this.#operand(arg, dot))
    return final === noFinal ? values : [...values, final]
  }

  #fail(node: Operand | Command, message: string): never {
    return this.#failAt(node.pos, describe(node), message)
  }

  #failAt(pos: number, context: string, message: string): never {
    const before = this.#program.source.slice(0, pos)
    const line = before.split('\n').length
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1))
    const where = `template: ${this.#program.name}:${line}:${column}: executing ${JSON.stringify(this.#current)} at <${context}>`
    throw new TemplateError(`${where}: ${message}`)
  }
}

type FunctionOperand = Operand & { kind: 'function' }

function isConstant(operand: Operand): boolean {
  return operand.kind === 'bool' || operand.kind === 'number' || operand.kind === 'string'
}

interface Call {
  readonly args: readonly Operand[]
  readonly final: Final
  readonly dot: unknown
}
