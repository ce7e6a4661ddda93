import type { Context } from '../evaluate/evaluate.ts'
import type { Scope } from '../evaluate/scope.ts'
import type { Expression } from '../syntax/nodes.ts'
import type { Type } from '../values/types.ts'
import type { Value } from '../values/value.ts'

export interface Parameter {
  readonly name: string
  /** Arguments are converted to it. */
  readonly type: Type
  readonly allowsNull?: boolean
}

/** A function of the language. */
export interface FunctionSpec {
  readonly parameters: readonly Parameter[]
  /** What all further arguments are. */
  readonly variadic?: Parameter | undefined
  /** Arguments are known, of their parameters' types, and not null where those do not allow it. */
  call?(args: readonly Value[], scope: Scope): Value
  /** Instead of `call`, for what takes its arguments as they are written. */
  expressions?(args: readonly Expression[], context: Context): Value
}

/** A call that cannot be done. */
export class CallFailure extends Error {}

/** The same, on account of one argument. */
export class ArgumentFailure extends CallFailure {
  readonly index: number

  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}

export const parameter = (name: string, type: Type): Parameter => ({ name, type })

/** A function of fixed parameters. */
export const define = (parameters: readonly Parameter[], call: NonNullable<FunctionSpec['call']>): FunctionSpec => ({
  parameters,
  call,
})
