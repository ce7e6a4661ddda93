import type { FunctionSpec } from '../functions/function.ts'
import type { SplatItem } from '../syntax/nodes.ts'
import type { Value } from '../values/value.ts'
import { Budget } from './budget.ts'

/** What names stand for. Inner scopes see what the outer ones have. */
export class Scope {
  readonly parent: Scope | undefined
  readonly variables: Map<string | SplatItem, Value>
  readonly functions: Map<string, FunctionSpec>
  readonly budget: Budget

  constructor(functions: Iterable<readonly [string, FunctionSpec]> = [], parent?: Scope) {
    this.parent = parent
    this.variables = new Map()
    this.functions = parent?.functions ?? new Map(functions)
    this.budget = parent?.budget ?? new Budget()
  }

  child(variables: Iterable<readonly [string | SplatItem, Value]>): Scope {
    const inner = new Scope([], this)
    for (const [name, value] of variables) inner.variables.set(name, value)
    return inner
  }

  lookup(name: string | SplatItem): Value | undefined {
    return this.variables.get(name) ?? this.parent?.lookup(name)
  }

  /** The names of all variables. */
  names(): string[] {
    const own = [...this.variables.keys()].filter((name) => typeof name === 'string')
    return this.parent === undefined ? own : [...own, ...this.parent.names()]
  }
}
