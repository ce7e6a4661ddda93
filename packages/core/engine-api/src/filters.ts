import { invalid } from '@berth/base'

/** Filter names to the values that were given. */
export type Filters = Readonly<Record<string, readonly string[]>>

/** The `filters` parameter: `{"k":{"v":true}}`, or `{"k":["v"]}` as older clients send. */
export function decodeFilters(text: string | null): Filters {
  if (!text) return {}
  const value = parse(text)
  if (value === null) return {}
  if (!isObject(value)) throw invalid('invalid filter')
  return Object.fromEntries(Object.entries(value).map(([name, values]) => [name, valuesOf(values)]))
}

/** Refuses names outside `accepted`. */
export function checkFilters(filters: Filters, accepted: ReadonlySet<string>): void {
  for (const name of Object.keys(filters)) {
    if (!accepted.has(name)) throw invalid(`invalid filter '${name}'`)
  }
}

/** The value of a filter that is true or false, once; `fallback` when it was not given. */
export function boolFilter(filters: Filters, name: string, fallback: boolean): boolean {
  const values = filters[name]
  if (!values || values.length === 0) return fallback
  const truthy = values.some((value) => value === '1' || value === 'true')
  const falsy = values.some((value) => value === '0' || value === 'false')
  if (truthy === falsy) throw invalid(`invalid filter '${name}=[${values.join(' ')}]'`)
  return truthy
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw invalid('invalid filter', error)
  }
}

/** In the map form a value counts whatever stands beside it, as in Docker. */
function valuesOf(values: unknown): string[] {
  if (values === null) return []
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values as string[]
  if (isObject(values) && Object.values(values).every((value) => typeof value === 'boolean')) return Object.keys(values)
  throw invalid('invalid filter')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
