/** ` Did you mean "x"?` for the first name that is less than three edits away, or nothing. */
export function suggest(given: string, names: Iterable<string>): string {
  for (const name of names) if (distance(given, name) < 3) return ` Did you mean "${name}"?`
  return ''
}

/** Levenshtein's distance; 3 for whatever is further. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) >= 3 || a.length > 200) return 3
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return Math.min(previous[b.length]!, 3)
}
