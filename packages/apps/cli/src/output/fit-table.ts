import { padding, usualWidth } from './table.ts'

export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What may be done to a table that is wider than the terminal; columns are named by their headers. */
export interface FitRule {
  /** The fewest characters that a column may be cut to. */
  readonly shrink: Readonly<Record<string, number>>
  /** Columns that are left out when that is not enough, the first of them first. */
  readonly drop: readonly string[]
}

export interface FittedTable extends Table {
  /** Spaces between the columns. */
  readonly gap: number
}

const narrowGap = 2

/** Narrows a table to a terminal of `width` columns, as little as is needed; what cannot be narrowed stays too wide. */
export function fitTable(table: Table, width: number, { shrink, drop }: FitRule): FittedTable {
  if (totalWidth(table, padding) <= width) return { ...table, gap: padding }
  for (let dropped = 0; ; dropped++) {
    const kept = withoutColumns(table, drop.slice(0, dropped))
    const fitted = shrinkTable(kept, width, shrink)
    if (dropped === drop.length || totalWidth(fitted, narrowGap) <= width) return { ...fitted, gap: narrowGap }
  }
}

const lengthOf = (text: string): number => [...text].length

function columnWidths({ header, rows }: Table): number[] {
  return header.map((title, at) => Math.max(lengthOf(title), ...rows.map((cells) => lengthOf(cells[at] ?? ''))))
}

function totalWidth(table: Table, gap: number): number {
  const least = gap === padding ? usualWidth : 0
  const widths = columnWidths(table)
  return widths.reduce((sum, width, at) => sum + (at === widths.length - 1 ? width : Math.max(least, width + gap)), 0)
}

function withoutColumns({ header, rows }: Table, names: readonly string[]): Table {
  const keeps = (_: string, at: number): boolean => !names.includes(header[at] ?? '')
  return { header: header.filter(keeps), rows: rows.map((cells) => cells.filter(keeps)) }
}

/** Cuts the widest of the columns that may be cut, again and again. */
function shrinkTable(table: Table, width: number, least: FitRule['shrink']): Table {
  const widths = columnWidths(table)
  const spare = table.header.map((title, at) => (widths[at] ?? 0) - Math.max(least[title] ?? Infinity, lengthOf(title)))
  for (let over = totalWidth(table, narrowGap) - width; over > 0; over--) {
    const widest = widths.reduce((best, one, at) => {
      return (spare[at] ?? 0) > 0 && (best < 0 || one > (widths[best] ?? 0)) ? at : best
    }, -1)
    if (widest < 0) break
    widths[widest] = (widths[widest] ?? 0) - 1
    spare[widest] = (spare[widest] ?? 0) - 1
  }
  const cut = (cells: readonly string[]): string[] => cells.map((cell, at) => cutTo(cell, widths[at] ?? 0))
  return { header: table.header, rows: table.rows.map(cut) }
}

function cutTo(cell: string, width: number): string {
  const characters = [...cell]
  return characters.length <= width ? cell : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`
}
