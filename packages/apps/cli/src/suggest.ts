/** The known words that a mistyped one may have meant, nearest first; at most three. */
export function suggest(word: string, known: readonly string[]): string[] {
  const most = word.length <= 3 ? 1 : 2
  return known
    .map((one) => ({ one, distance: one.startsWith(word) && word.length >= 3 ? 0 : editDistance(word, one) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance || (a.one < b.one ? -1 : 1))
    .slice(0, 3)
    .map(({ one }) => one)
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other. */
export function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_none, at) => at)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) row.push(cell({ a, b, rows, row }, i, j))
    rows.push(row)
  }
  return rows.at(-1)?.at(-1) ?? 0
}

interface Table {
  readonly a: string
  readonly b: string
  readonly rows: readonly number[][]
  readonly row: readonly number[]
}

function cell({ a, b, rows, row }: Table, i: number, j: number): number {
  const above = rows[i - 1] ?? []
  const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
  const least = Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
  const swaps = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
  return swaps ? Math.min(least, (rows[i - 2]?.[j - 2] ?? 0) + 1) : least
}
