import {
  avoidsLabels,
  booleanFilter,
  compilePattern,
  type Filters,
  invalid,
  matchesLabels,
  requireKnownFilters,
  parseGoBool,
} from '@berth/base'
import { isAnonymous, type Volume } from './volume.ts'

type Test = (volume: Volume) => boolean

/** What `GET /volumes` shows. Throws `invalid` for a filter that cannot be understood. */
export function listTest(filters: Filters, isUsed: (name: string) => boolean): Test {
  requireKnownFilters(filters, ['dangling', 'driver', 'label', 'name'])
  const dangling = booleanFilter(filters, 'dangling')
  const names = (filters['name'] ?? []).map(namePattern)
  const drivers = filters['driver'] ?? []
  return (volume) =>
    (dangling === undefined || isUsed(volume.name) !== dangling) &&
    (names.length === 0 || names.some((matches) => matches(volume.name))) &&
    (drivers.length === 0 || drivers.includes(volume.driver)) &&
    matchesLabels(volume.labels, filters['label'])
}

/** Docker matches names by regular expression; what is none is matched as text. */
function namePattern(text: string): (name: string) => boolean {
  try {
    const pattern = compilePattern(text)
    return (name) => pattern.test(name)
  } catch {
    return (name) => name.includes(text)
  }
}

/** What a prune may take of what nobody uses: as in Docker nothing that was made with options of its driver. */
export function pruneTest(filters: Filters, all: boolean): Test {
  requireKnownFilters(filters, ['all', 'label', 'label!'])
  const takesAll = all || allFilter(filters)
  return (volume) =>
    (takesAll || isAnonymous(volume)) &&
    Object.keys(volume.options ?? {}).length === 0 &&
    matchesLabels(volume.labels, filters['label']) &&
    avoidsLabels(volume.labels, filters['label!'])
}

function allFilter(filters: Filters): boolean {
  const [value, ...more] = filters['all'] ?? []
  if (value === undefined) return false
  if (more.length > 0) throw invalid("invalid filter 'all': only one value is expected")
  const parsed = parseGoBool(value)
  if (parsed === undefined) {
    throw invalid(`invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`)
  }
  return parsed
}
