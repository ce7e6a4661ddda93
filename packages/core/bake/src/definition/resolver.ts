import { evaluate } from '../evaluate/evaluate.ts'
import { Scope } from '../evaluate/scope.ts'
import { type FunctionHost, standardFunctions } from '../functions/standard.ts'
import { BakeFileError, type Diagnostic, refuseIfAny } from '../syntax/diagnostic.ts'
import type { Attribute, Expression, Step } from '../syntax/nodes.ts'
import { usesOf } from '../syntax/references.ts'
import type { Range } from '../syntax/source.ts'
import { nullOf, stringValue, type Value } from '../values/value.ts'
import { callable, signatureOf, type UserFunction } from './user-function.ts'
import { conformDefault, overrideFrom, overrideFromJson, type Variable } from './variables.ts'

/** What a file does not know of itself. */
export interface Surroundings extends FunctionHost {
  /** Variables that files cannot define: `BAKE_LOCAL_PLATFORM`. */
  readonly builtins: ReadonlyMap<string, string>
  /** The environment, and what was set by `--var`. */
  lookup(name: string): string | undefined
}

/** A name that is not defined: evaluation tells that better. */
class UndefinedError extends Error {}

/** References go this deep at most. */
const greatestDepth = 300

/** Evaluates `block` for a reference to it: `undefined` for all of it. */
export type BlockLoader = (type: string, steps: readonly Step[], range: Range) => void

/** Puts variables and functions into a scope when something needs them, in whatever order the files define them. */
export class Resolver {
  readonly scope: Scope
  readonly variables = new Map<string, Variable>()
  readonly attributes = new Map<string, Attribute>()
  readonly functions = new Map<string, UserFunction>()
  /** Set once blocks can be referred to. */
  blocks: { readonly types: ReadonlySet<string>; readonly load: BlockLoader } | undefined
  readonly #surroundings: Surroundings
  readonly #openVariables = new Set<string>()
  readonly #openFunctions = new Set<string>()
  #depth = 0

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.scope = new Scope(standardFunctions(surroundings))
  }

  /** Resolves what an expression uses. `isTolerant`: what is not defined is left to its evaluation. */
  load(node: Expression, scope: Scope, exclude: ReadonlySet<string> = new Set(), isTolerant = true): void {
    const uses = usesOf(node)
    for (const name of uses.functions) {
      this.#attempt(node.range, isTolerant, () => this.#resolveFunction(name))
    }
    for (const { root, steps } of uses.variables) {
      if (exclude.has(root)) continue
      if (this.blocks?.types.has(root) === true) {
        this.#attempt(node.range, isTolerant, () => this.blocks!.load(root, steps, node.range))
      } else this.#attempt(node.range, isTolerant, () => this.#resolveVariable(root, scope))
    }
  }

  #attempt(range: Range, isTolerant: boolean, resolve: () => void): void {
    if (this.#depth === greatestDepth) {
      const detail = `References lead from one to the next more than ${greatestDepth} times.`
      throw new BakeFileError([{ summary: 'Limit exceeded', detail, subject: range }])
    }
    this.#depth++
    try {
      resolve()
    } catch (error) {
      if (isTolerant && error instanceof UndefinedError) return
      throw asFileError(error, 'Invalid expression', range)
    } finally {
      this.#depth--
    }
  }

  resolveAll(): void {
    for (const name of this.#surroundings.builtins.keys()) this.#resolveVariable(name, this.scope)
    for (const variable of this.variables.values()) {
      wrap('Invalid value', variable.missingRange, () => this.#resolveVariable(variable.name, this.scope))
    }
  }

  resolveAttributes(): void {
    for (const { name, range } of this.attributes.values()) {
      wrap('Invalid attribute', range, () => this.#resolveVariable(name, this.scope))
    }
  }

  resolveFunctions(): void {
    for (const { name, params, block } of this.functions.values()) {
      const range = params?.range ?? block.labelRanges[0]!
      wrap('Invalid function', range, () => this.#resolveFunction(name))
    }
  }

  #resolveFunction(name: string): void {
    if (this.scope.functions.has(name)) return
    const found = this.functions.get(name)
    if (found === undefined) throw new UndefinedError(`function "${name}" does not exist: undefined`)
    if (this.#openFunctions.has(name)) throw new Error(`function cycle not allowed for ${name}`)
    this.#openFunctions.add(name)
    const { params, variadic, result } = found
    if (result === undefined) throw new Error(`empty result not allowed for ${name}`)
    if (params === undefined) throw new Error(`empty params not allowed for ${name}`)
    const signature = signatureOf(params, variadic)
    const own = new Set([...signature.parameters, ...(signature.variadic === undefined ? [] : [signature.variadic])])
    this.load(result.expression, this.scope, own, false)
    this.scope.functions.set(name, callable(signature, result.expression))
  }

  #resolveVariable(name: string, scope: Scope): void {
    if (scope.lookup(name) !== undefined) return
    if (this.#openVariables.has(name)) throw new Error(`variable cycle not allowed for ${name}`)
    this.#openVariables.add(name)
    const value = this.#valueOf(name)
    this.scope.variables.set(name, value)
  }

  #valueOf(name: string): Value {
    const builtin = this.#surroundings.builtins.get(name)
    if (builtin !== undefined) return stringValue(builtin)
    const attribute = this.attributes.get(name)
    const variable = this.variables.get(name)
    if (attribute === undefined && variable === undefined) {
      throw new UndefinedError(`variable "${name}" does not exist: undefined`)
    }
    const fallback = this.#evaluateDefault(attribute ?? variable!.fallback)
    if (variable === undefined) return fallback!
    const conformed = fallback && conformDefault(variable, fallback)
    return this.#override(variable, conformed) ?? conformed ?? this.#unset(variable)
  }

  #evaluateDefault(attribute: Attribute | undefined): Value | undefined {
    if (attribute === undefined) return undefined
    this.load(attribute.expression, this.scope)
    const problems: Diagnostic[] = []
    const value = evaluate(attribute.expression, { scope: this.scope, problems })
    refuseIfAny(problems)
    return value
  }

  #override(variable: Variable, fallback: Value | undefined): Value | undefined {
    const { name, type } = variable
    const json = type === undefined ? undefined : this.#surroundings.lookup(`${name}_JSON`)
    if (json !== undefined && this.#surroundings.lookup(name) === undefined) return overrideFromJson(json, variable)
    const text = this.#surroundings.lookup(name)
    return text === undefined ? undefined : overrideFrom(text, variable, fallback)
  }

  #unset({ type }: Variable): Value {
    return type === undefined ? stringValue('') : nullOf(type)
  }
}

/** An error as one that has a place in a file. */
export function asFileError(error: unknown, summary: string, subject: Range): unknown {
  if (error instanceof BakeFileError || !(error instanceof Error)) return error
  return new BakeFileError([{ summary, detail: error.message, subject }])
}

export function wrap<T>(summary: string, subject: Range, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw asFileError(error, summary, subject)
  }
}
