/** What lists and prunes are narrowed to: names to values, any of which may match. */
export type Filters = Readonly<Record<string, readonly string[]>>

/** The `filters` parameter: `{"status":{"running":true}}`; undefined when there is none. */
export function encodeFilters(filters: Filters | undefined): string | undefined {
  const entries = Object.entries(filters ?? {})
  if (entries.length === 0) return undefined
  return JSON.stringify(
    Object.fromEntries(
      entries.map(([name, values]) => [name, Object.fromEntries(values.map((value) => [value, true]))]),
    ),
  )
}
