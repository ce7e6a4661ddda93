import type { Cli } from '../cli.ts'
import { fitTable, type FitRule } from './fit-table.ts'
import { formatTable } from './table.ts'

/** One field of a row: what its column is called, and its value. */
export interface Column<T> {
  readonly header: string
  value(row: T): unknown
}

/** The fields that `--format` may name for one kind of row. */
export interface View<T> {
  /** The Go type that error messages name. */
  readonly goType: string
  readonly columns: Readonly<Record<string, Column<T>>>
  /** How a bad `--format` is told of, where it is not docker's usual way. */
  readonly problems?: { readonly parse: string; readonly execute: string }
  /** What `--format raw` shows: labels, and the columns behind them; the first names the row. */
  readonly raw?: Readonly<Record<string, string>>
  /** Fields that take an argument. */
  readonly methods?: Readonly<Record<string, (row: T, argument: string) => unknown>>
}

export interface RenderOptions {
  /** The value of `--format`; empty for the table of `defaults`. */
  readonly format: string
  /** The columns of the table by default. */
  readonly defaults: readonly string[]
  /** Without a template: the ids only (names, of what has none), one a line. */
  readonly quiet?: boolean
  /** What may be done to the table by default when it is wider than the terminal. */
  readonly fit?: FitRule | undefined
}

/** Prints rows as a table, as JSON lines, or by a Go template. */
export async function render<T>(cli: Cli, rows: readonly T[], view: View<T>, options: RenderOptions): Promise<void> {
  cli.out(await renderText(rows, view, options, cli.isTerminal(1) ? process.stdout.columns : undefined))
}

/** As `render`, into a string; `width` is the terminal's, if it is for one. */
export async function renderText<T>(
  rows: readonly T[],
  view: View<T>,
  options: RenderOptions,
  width?: number,
): Promise<string> {
  if (options.format !== '' && options.format !== 'table') {
    if (options.format === 'raw' && view.raw !== undefined) return renderRaw(rows, view, options)
    const { renderTemplate } = await import('./template-view.ts')
    return renderTemplate(rows, view, options.format)
  }
  const key = view.columns['ID'] ?? view.columns['Name']
  if (options.quiet === true) return rows.map((row) => `${String(key?.value(row))}\n`).join('')
  const columns = options.defaults.map((name) => view.columns[name]).filter((column) => column !== undefined)
  const cells = rows.map((row) => columns.map((column) => String(column.value(row))))
  const header = columns.map((column) => column.header)
  if (width === undefined || options.fit === undefined) return formatTable(header, cells)
  const fitted = fitTable({ header, rows: cells }, width, options.fit)
  return formatTable(fitted.header, fitted.rows, fitted.gap)
}

/** A block of lines for each row; with `quiet` its name alone. */
function renderRaw<T>(rows: readonly T[], { raw, columns }: View<T>, { quiet, defaults }: RenderOptions): string {
  const isShown = (name: string) => !optionalColumns.includes(name) || defaults.includes(name)
  const fields = Object.entries(raw ?? {}).filter(([, name]) => isShown(name))
  const line = (row: T, [label, name]: readonly [string, string]) =>
    `${label}: ${String(columns[name]?.value(row))}`.trimEnd()
  if (quiet === true) {
    const key = fields.filter(([, name]) => name === (columns['ID'] ? 'ID' : 'Name'))
    return rows.map((row) => `${key.map((field) => line(row, field)).join('')}\n`).join('')
  }
  return rows.map((row) => `${fields.map((field) => line(row, field)).join('\n')}\n\n`).join('')
}

/** Shown when the table has them. */
const optionalColumns: readonly string[] = ['Size', 'Digest']
