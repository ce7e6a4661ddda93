import {
  booleanFilter,
  compilePattern,
  type Filters,
  invalid,
  isKind,
  matchesLabels,
  type Pattern,
  requireKnownFilters,
} from '@berth/base'
import type { Container } from './container.ts'
import type { ListQuery } from './containers.ts'
import type { Context } from './context.ts'
import { listedPorts } from './listed-ports.ts'
import { compilePortFilters } from './port-filters.ts'
import { isUp } from './stop.ts'

const known = [
  'ancestor', 'before', 'expose', 'exited', 'health', 'id', 'isolation', 'is-task', 'label', 'name', 'network',
  'publish', 'since', 'status', 'volume',
] // prettier-ignore
const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']
const healths = ['none', 'starting', 'healthy', 'unhealthy']

type Test = (container: Container) => boolean

/** Containers that fit, newest first. */
export async function listContainers(context: Context, query: ListQuery): Promise<Container[]> {
  const tests = await compile(context, query)
  const newestFirst = context.registry.all().toReversed()
  const found = newestFirst.filter((container) => tests.every((test) => test(container)))
  return query.limit !== undefined && query.limit > 0 ? found.slice(0, query.limit) : found
}

async function compile(context: Context, query: ListQuery): Promise<Test[]> {
  const { filters } = query
  requireKnownFilters(filters, known)
  requireValues(filters, 'status', statuses)
  requireValues(filters, 'health', healths)
  const showsAll =
    query.all || (query.limit ?? 0) > 0 || filters['status'] !== undefined || filters['exited'] !== undefined
  const shown: Test = (container) => showsAll || isUp(container)
  return [
    shown,
    ...simpleTests(context, filters),
    ...orderTests(context, filters),
    ...(await ancestorTests(context, filters)),
  ]
}

function requireValues(filters: Filters, name: string, allowed: readonly string[]): void {
  for (const value of filters[name] ?? []) {
    if (!allowed.includes(value)) throw invalid(`invalid filter '${name}=${value}'`)
  }
}

/** Tests on the container alone; the values of one filter are alternatives, but for labels. */
function simpleTests(context: Context, filters: Filters): Test[] {
  const any = (name: string, test: (container: Container, value: string) => boolean): Test[] => {
    const values = filters[name]
    return values?.length ? [(container) => values.some((value) => test(container, value))] : []
  }
  const fitPorts = compilePortFilters(filters)
  return [
    ...idTests(context, filters),
    ...nameTests(filters),
    ...any('status', ({ state }, value) => state.status === value),
    ...any('health', ({ state }, value) => (state.health?.status ?? 'none') === value),
    ...exitTests(filters),
    ...any('network', ({ endpoints }, value) => usesNetwork(endpoints, value)),
    ...any('volume', ({ mounts }, value) =>
      mounts.some((m) => m.name === value || m.destination === value || m.source === value),
    ),
    ...(fitPorts ? [(container: Container) => fitPorts(listedPorts(context, container))] : []),
    ...(booleanFilter(filters, 'is-task') ? [() => false] : []),
    ...(filters['label'] ? [(({ config }) => matchesLabels(config.Labels, filters['label'])) satisfies Test] : []),
  ]
}

/** Ids and what only one id begins with. */
function idTests({ registry }: Context, filters: Filters): Test[] {
  const prefixes = filters['id']
  if (!prefixes?.length) return []
  const ids = registry.all().map(({ id }) => id)
  const wanted = new Set(
    prefixes.flatMap((prefix) => {
      const found = ids.filter((id) => id.startsWith(prefix))
      return found.length === 1 ? found : []
    }),
  )
  return [({ id }) => wanted.has(id)]
}

function nameTests(filters: Filters): Test[] {
  const names = filters['name']
  if (!names?.length) return []
  const patterns = names.map((name) => namePattern(name))
  return [({ name }) => patterns.some((pattern) => pattern.test(name) || pattern.test(`/${name}`))]
}

/** Docker matches names by regular expression; what is none is matched as text. */
function namePattern(text: string): Pick<Pattern, 'test'> {
  try {
    return compilePattern(text)
  } catch {
    return { test: (name) => name.includes(text) }
  }
}

function exitTests(filters: Filters): Test[] {
  const codes = filters['exited']?.map(parseExitCode)
  if (!codes?.length) return []
  const hasEnded: Test = (container) => container.hasBeenStarted && !isUp(container)
  return [(container) => hasEnded(container) && codes.includes(container.state.exitCode)]
}

/** In Docker's words; what is out of its integers' range is refused as well. */
function parseExitCode(value: string): number {
  const refused = (why: string) =>
    invalid(`invalid filter 'exited=${value}': strconv.Atoi: parsing ${JSON.stringify(value)}: ${why}`)
  if (!/^[+-]?\d+$/.test(value)) throw refused('invalid syntax')
  const code = BigInt(value.replace('+', ''))
  if (BigInt.asIntN(64, code) !== code) throw refused('value out of range')
  return Number(code)
}

function usesNetwork(endpoints: Container['endpoints'], value: string): boolean {
  return Object.entries(endpoints).some(([name, { NetworkID }]) => name === value || NetworkID.startsWith(value))
}

function orderTests(context: Context, filters: Filters): Test[] {
  const order = new Map(context.registry.all().map(({ id }, index) => [id, index]))
  const indexes = (name: string) =>
    (filters[name] ?? []).map((ref) => order.get(context.registry.resolve(ref).id) as number)
  const before = indexes('before')
  const since = indexes('since')
  const position = (container: Container) => order.get(container.id) as number
  return [
    (container) => before.every((index) => position(container) < index),
    (container) => since.every((index) => position(container) > index),
  ]
}

async function ancestorTests(context: Context, filters: Filters): Promise<Test[]> {
  const ancestors = filters['ancestor']
  if (!ancestors?.length) return []
  const ids = new Set<string>()
  for (const reference of ancestors) {
    const image = await context.images.resolve(reference).catch((error: unknown) => {
      if (isKind(error, 'notFound') || isKind(error, 'invalid')) return undefined
      throw error
    })
    if (image) for (const id of await withDescendants(context, image.id)) ids.add(id)
  }
  return [({ imageId }) => ids.has(imageId)]
}

/** Images whose chain of parents leads to `id`, itself included. */
async function withDescendants(context: Context, id: string): Promise<Set<string>> {
  const images = await context.images.list({ all: true })
  const found = new Set([id])
  for (let grew = true; grew;) {
    const children = images.filter((image) => !found.has(image.id) && found.has(image.parent))
    for (const child of children) found.add(child.id)
    grew = children.length > 0
  }
  return found
}
