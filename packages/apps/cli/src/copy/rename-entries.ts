/** Replaces the first occurrence of a name in what entries are called. */
export interface Renaming {
  readonly from: string
  readonly to: string
}

/** `entry` with the first occurrence of the old name replaced. */
export function renamed(entry: string, renaming: Renaming | undefined): string {
  if (renaming === undefined) return entry
  const { from, to } = renaming
  const at = entry.indexOf(from)
  return at < 0 ? entry : entry.slice(0, at) + to + entry.slice(at + from.length)
}
