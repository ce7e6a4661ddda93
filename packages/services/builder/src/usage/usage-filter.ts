import { compilePattern, invalid } from '@berth/base'
import type { CacheRecord } from '../builder.ts'

/** What of a record a filter is about. */
export type FilteredRecord = Pick<
  CacheRecord,
  'id' | 'parents' | 'description' | 'isInUse' | 'isMutable' | 'type' | 'isShared'
>

type Match = (record: FilteredRecord) => boolean

/**
 * containerd's filters (github.com/containerd/containerd/pkg/filters): `type==regular,shared`, where a comma means
 * and; one of `filters` is enough, and none, or an empty one, takes everything. Throws `invalid`.
 */
export function usageFilter(filters: readonly string[]): Match {
  const matches = filters.map(parseFilter)
  return (record) => matches.length === 0 || matches.some((match) => match(record))
}

// Between two things there is one run of spaces: text of others is tried in one way.
const term = /^\s*([A-Za-z][\w.]*)\s*(?:(==|!=|~=)(?:\s*("(?:[^"\\]|\\.)*"|[^,"\s]+))?\s*)?(?:,|$)/

function parseFilter(text: string): Match {
  const matches: Match[] = []
  for (let rest = text; rest.trim() !== '';) {
    const found = term.exec(rest)
    if (!found) throw invalid(`filters: parse error: ${JSON.stringify(text)}`)
    const [whole, field = '', operator, value = ''] = found
    matches.push(matchOf(field, operator, value.startsWith('"') ? (JSON.parse(value) as string) : value))
    rest = rest.slice(whole.length)
  }
  return (record) => matches.every((match) => match(record))
}

function matchOf(field: string, operator: string | undefined, value: string): Match {
  const compare = comparison(operator, value)
  return (record) => compare(fieldOf(record, field))
}

function comparison(operator: string | undefined, value: string): (actual: string | undefined) => boolean {
  switch (operator) {
    case '==':
      return (actual) => actual === value
    case '!=':
      return (actual) => actual !== value
    case '~=':
      return pattern(value)
    default:
      return (actual) => actual !== undefined
  }
}

function pattern(value: string): (actual: string | undefined) => boolean {
  const expression = compilePattern(value)
  return (actual) => actual !== undefined && expression.test(actual)
}

/** Undefined: the record has no such thing. */
function fieldOf(record: FilteredRecord, field: string): string | undefined {
  const has = (is: boolean) => (is ? '' : undefined)
  switch (field) {
    case 'id':
      return record.id
    case 'parents':
    case 'parent':
      return record.parents.length > 0 ? record.parents.join(';') : undefined
    case 'description':
      return record.description
    case 'type':
      return record.type
    case 'inuse':
      return has(record.isInUse)
    case 'mutable':
      return has(record.isMutable)
    case 'immutable':
      return has(!record.isMutable)
    case 'shared':
      return has(record.isShared)
    case 'private':
      return has(!record.isShared)
    default:
      return undefined
  }
}
