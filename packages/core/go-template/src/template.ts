import { execute, type ExecuteOptions } from './executor.ts'
import { builtins, dockerFunctions, type FunctionTable } from './functions.ts'
import { parse } from './parser.ts'

export interface TemplateOptions extends ExecuteOptions {
  /** Appears in error messages; empty, as docker's. */
  readonly name?: string
  /** Added to Go's own functions; by default docker's. */
  readonly functions?: FunctionTable
}

export interface Template {
  /** Runs the template; throws `TemplateError` in Go's words. Data is JSON, with functions as methods. */
  execute(data: unknown): string
}

/** Parses a Go text/template; throws `TemplateError` in Go's words. */
export function parseTemplate(source: string, options: TemplateOptions = {}): Template {
  const name = options.name ?? ''
  const functions: FunctionTable = { ...builtins, ...(options.functions ?? dockerFunctions) }
  const set = parse(source, { name, hasFunction: (wanted) => Object.hasOwn(functions, wanted) })
  return { execute: (data) => execute({ name, source, set, functions, options }, data) }
}
