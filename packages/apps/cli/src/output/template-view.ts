import { messageOf, escapeAsGo } from '@berth/base'
import {
  dockerFunctions,
  type FunctionTable,
  goType,
  nilPointer,
  parseTemplate,
  type Template,
  toJson,
} from '@berth/go-template'
import { StatusError } from '../errors.ts'
import { alignTabs } from './table.ts'
import type { View } from './view.ts'

const tablePrefix = 'table'

/** Rows by a `--format` value: `json`, `TEMPLATE` or `table TEMPLATE`. */
export function renderTemplate<T>(rows: readonly T[], view: View<T>, format: string): string {
  const isTable = format.startsWith(tablePrefix)
  const source = unescape(isTable ? format.slice(tablePrefix.length).trim() : format === 'json' ? '{{json .}}' : format)
  const problems = view.problems ?? usualProblems
  const template = parse(source, rowFunctions, problems)
  const lines = rows.map((row) => `${execute(template, rowData(row, view), problems)}\n`).join('')
  if (!isTable) return lines
  const header = execute(parse(source, headerFunctions, problems), headerData(view), problems)
  return alignTabs(`${header}\n${lines}`)
}

/** Rows as template data, to be part of a document. */
export const part = <T>(rows: readonly T[], view: View<T>): object[] => rows.map((row) => rowData(row, view))

/** One document of several kinds of rows, by a `--format` value. */
export function renderDocument(
  parts: Readonly<Record<string, readonly object[]>>,
  { goType: name, format }: { readonly goType: string; readonly format: string },
): string {
  const data = Object.create(null, { [goType]: { value: name } }) as object
  Object.assign(data, parts)
  const source = unescape(format === 'json' ? '{{json .}}' : format)
  return execute(parse(source, rowFunctions, usualProblems), data, { ...usualProblems, execute: '' })
}

const usualProblems = { parse: 'template parsing error', execute: 'template parsing error' }
type Problems = typeof usualProblems

/** A shell hands on `\t` and `\n` as they were typed. */
function unescape(source: string): string {
  return source.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
}

function parse(source: string, functions: FunctionTable, problems: Problems): Template {
  try {
    return parseTemplate(source, { functions })
  } catch (error) {
    throw new StatusError(1, `${problems.parse}: ${messageOf(error)}`)
  }
}

function execute(template: Template, data: unknown, problems: Problems): string {
  try {
    return template.execute(data)
  } catch (error) {
    const introduction = problems.execute === '' ? '' : `${problems.execute}: `
    throw new StatusError(1, `${introduction}${messageOf(error)}`)
  }
}

/** The row as template data: a field is computed when it is asked for. */
function rowData<T>(row: T, view: View<T>): object {
  const data = Object.create(null, { [goType]: { value: view.goType } }) as object
  for (const name of Object.keys(view.columns).toSorted()) {
    Object.defineProperty(data, name, { enumerable: true, get: () => view.columns[name]?.value(row) ?? nilPointer })
  }
  for (const [name, method] of Object.entries(view.methods ?? {})) {
    Object.defineProperty(data, name, { enumerable: true, value: (argument: string) => method(row, argument) })
  }
  return data
}

function headerData<T>(view: View<T>): object {
  const headers = Object.entries(view.columns).map(([name, column]) => [name, column.header] as const)
  const methods = Object.keys(view.methods ?? {}).map((name) => [name, lastWord] as const)
  return Object.fromEntries([...headers, ...methods])
}

/** The header of a label's column: the end of its dotted name. */
function lastWord(name: string): string {
  return (name.split('.').at(-1) ?? '').replaceAll(/[-_]/g, ' ')
}

/** Rows marshal themselves in Go, which escapes what HTML would read; other values do not. */
const rowFunctions: FunctionTable = {
  ...dockerFunctions,
  json: { parameters: ['any'], call: (value) => (isRow(value) ? escapeAsGo(toJson(value)) : toJson(value)) },
}

function isRow(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, goType)
}

const unchanged = { parameters: ['string'], call: (text: unknown) => text } as const

/** In a header the functions that change a value change nothing. */
const headerFunctions: FunctionTable = {
  ...dockerFunctions,
  json: unchanged,
  title: unchanged,
  lower: unchanged,
  upper: unchanged,
  truncate: { parameters: ['string', 'int'], call: (text) => text },
}
