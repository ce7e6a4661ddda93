import { type Filters, invalid, messageOf, parseTimestampNs } from '@berth/base'

const fields = ['id', 'parent', 'type', 'description', 'inuse', 'shared', 'private']
const known: readonly string[] = [...fields, 'until', 'unused-for']

export interface CacheFilters {
  /** In containerd's language; none takes everything. */
  readonly filters: readonly string[]
  readonly unusedForMs: number
}

/** What users filter the build cache by, in `/build/prune` and in daemon.json. Throws `invalid` in Docker's words. */
export function decodeCacheFilters(filters: Filters): CacheFilters {
  const unknown = Object.keys(filters).find((name) => !known.includes(name))
  if (unknown !== undefined) throw invalid(`invalid filter '${unknown}'`)
  const terms = fields.flatMap((name) => (filters[name] ? [termOf(name, only(filters[name]))] : []))
  return { filters: terms.length > 0 ? [terms.join(',')] : [], unusedForMs: unusedFor(filters) }
}

function only(values: readonly string[]): string | undefined {
  if (values.length > 1) throw invalid('filters expect only one value')
  return values[0]
}

/** What is true or not is said by its name alone. */
function termOf(name: string, value: string | undefined): string {
  if (value === undefined || value === '') return name
  return `${name}${name === 'id' ? '~=' : '=='}${JSON.stringify(value)}`
}

function unusedFor(filters: Filters): number {
  if (filters['until'] && filters['unused-for']) throw invalid('conflicting filters: until and unused-for')
  const name = filters['until'] ? 'until' : 'unused-for'
  const text = only(filters[name] ?? [])
  if (text === undefined) return 0
  const nowNs = BigInt(Date.now()) * 1_000_000n
  try {
    return Number((nowNs - parseTimestampNs(text, nowNs)) / 1_000_000n)
  } catch (error) {
    const reason = messageOf(error)
    throw invalid(`${JSON.stringify(name)} filter expects a duration (e.g., '24h') or a timestamp: ${reason}`, error)
  }
}
