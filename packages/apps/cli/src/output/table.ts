/** The fewest characters of a column, with the spaces behind it. */
export const usualWidth = 10
/** Spaces behind a column. */
export const padding = 3

/** Aligns the cells of tab-separated lines as Go's text/tabwriter does with docker's settings. */
export function alignTabs(text: string, minimumWidth = usualWidth, gap = padding): string {
  const lines = text.split('\n').map((line) => line.split('\t'))
  const widths = lines.map((cells) => cells.map(() => 0))
  layOut(lines, widths, { from: 0, to: lines.length, column: 0, minimumWidth, gap })
  return lines
    .map((cells, row) => cells.map((cell, at) => padCell(cell, widths[row]?.[at], at === cells.length - 1)).join(''))
    .join('\n')
}

interface Block {
  readonly from: number
  readonly to: number
  readonly column: number
  readonly minimumWidth: number
  readonly gap: number
}

/** A column is a run of consecutive lines that have a cell there, ended by a tab. */
function layOut(lines: readonly string[][], widths: number[][], block: Block): void {
  for (let row = block.from; row < block.to; row++) {
    if (!hasCell(lines[row], block.column)) continue
    let end = row
    let width = block.minimumWidth
    for (; end < block.to && hasCell(lines[end], block.column); end++) {
      width = Math.max(width, length(lines[end]?.[block.column] ?? '') + block.gap)
    }
    for (let at = row; at < end; at++) (widths[at] ?? [])[block.column] = width
    layOut(lines, widths, { ...block, from: row, to: end, column: block.column + 1 })
    row = end
  }
}

function hasCell(cells: readonly string[] | undefined, column: number): boolean {
  return cells !== undefined && column < cells.length - 1
}

function length(text: string): number {
  return [...text].length
}

function padCell(cell: string, width: number | undefined, last: boolean): string {
  return last ? cell : cell + ' '.repeat(Math.max(0, (width ?? 0) - length(cell)))
}

/** A table with a header line; every line ends in a newline. Only docker's own gap has a least width. */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  gap: number = padding,
): string {
  const text = [header, ...rows].map((cells) => `${cells.join('\t')}\n`).join('')
  return alignTabs(text, gap === padding ? usualWidth : 0, gap)
}
