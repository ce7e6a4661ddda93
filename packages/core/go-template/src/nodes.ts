import type { GoFloat } from './value.ts'

/** The syntax tree of a template. `pos` is the offset of the node in the template's text. */

export interface TextNode {
  readonly kind: 'text'
  readonly pos: number
  readonly text: string
}
export interface ActionNode {
  readonly kind: 'action'
  readonly pos: number
  readonly pipe: Pipe
}
export interface BranchNode {
  readonly kind: 'if' | 'with' | 'range'
  readonly pos: number
  readonly pipe: Pipe
  readonly body: readonly Node[]
  readonly otherwise: readonly Node[]
}
export interface TemplateNode {
  readonly kind: 'template'
  readonly pos: number
  readonly name: string
  readonly pipe: Pipe | undefined
}
export interface JumpNode {
  readonly kind: 'break' | 'continue'
  readonly pos: number
}
export type Node = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode

export interface Pipe {
  readonly kind: 'pipe'
  readonly pos: number
  /** Names with the dollar sign. */
  readonly variables: readonly string[]
  /** `=` rather than `:=`. */
  readonly assigns: boolean
  readonly commands: readonly Command[]
}

export interface Command {
  readonly kind: 'command'
  readonly pos: number
  readonly operands: readonly Operand[]
}

export type Operand =
  | { readonly kind: 'dot' | 'nil'; readonly pos: number }
  | { readonly kind: 'bool'; readonly pos: number; readonly value: boolean }
  | { readonly kind: 'number'; readonly pos: number; readonly value: number | GoFloat; readonly text: string }
  | { readonly kind: 'string'; readonly pos: number; readonly value: string; readonly text: string }
  | { readonly kind: 'field'; readonly pos: number; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly pos: number; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly pos: number; readonly name: string }
  | { readonly kind: 'chain'; readonly pos: number; readonly base: Operand; readonly path: readonly string[] }
  | Pipe

/** The source form of an operand, as error messages quote it. */
export function describe(node: Operand | Command): string {
  switch (node.kind) {
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'bool':
      return String(node.value)
    case 'number':
    case 'string':
      return node.text
    case 'function':
      return node.name
    case 'field':
      return dotted(node.path)
    case 'variable':
      return node.name + dotted(node.path)
    case 'chain':
      return (node.base.kind === 'pipe' ? `(${describe(node.base)})` : describe(node.base)) + dotted(node.path)
    case 'command':
      return node.operands.map((one) => (one.kind === 'pipe' ? `(${describe(one)})` : describe(one))).join(' ')
    case 'pipe':
      return describePipe(node)
  }
}

function describePipe(pipe: Pipe): string {
  const declared = pipe.variables.length > 0 ? `${pipe.variables.join(', ')} ${pipe.assigns ? '=' : ':='} ` : ''
  return declared + pipe.commands.map(describe).join(' | ')
}

function dotted(path: readonly string[]): string {
  return path.map((name) => `.${name}`).join('')
}
