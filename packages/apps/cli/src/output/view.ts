import type { Cli } from '../cli.ts'
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
}

/** Prints rows as a table, as JSON lines, or by a Go template. */
export async function render<T>(cli: Cli, rows: readonly T[], view: View<T>, options: RenderOptions): Promise<void> {
  cli.out(await renderText(rows, view, options))
}

/** As `render`, into a string. */
export async function renderText<T>(rows: readonly T[], view: View<T>, options: RenderOptions): Promise<string> {
  if (options.format !== '' && options.format !== 'table') {
    const { renderTemplate } = await import('./template-view.ts')
    return renderTemplate(rows, view, options.format)
  }
  const key = view.columns['ID'] ?? view.columns['Name']
  if (options.quiet === true) return rows.map((row) => `${String(key?.value(row))}\n`).join('')
  const columns = options.defaults.map((name) => view.columns[name]).filter((column) => column !== undefined)
  const cells = rows.map((row) => columns.map((column) => String(column.value(row))))
  return formatTable(
    columns.map((column) => column.header),
    cells,
  )
}
