/** The candidate that `word` is most likely a slip of: at most two edits away, and fewer than half of its letters. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const lower = word.toLowerCase()
  const [best] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(lower, candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= 2 && distance * 2 <= candidate.length)
    .toSorted((a, b) => a.distance - b.distance)
  return best?.candidate
}

/** The candidate that is at most two edits away, and nearest; letters' case counts. None when it is one itself. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates]
  if (all.includes(word)) return undefined
  const [best] = all
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .filter(({ distance }) => distance <= 2)
    .toSorted((a, b) => a.distance - b.distance)
  return best?.candidate
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const above = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, change))
    }
  }
  return row[b.length] as number
}
