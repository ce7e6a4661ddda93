import {
  booleanFilter,
  compilePattern,
  type ContainerId,
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
  const running: Test = ({ state }) =>
    showsAll || state.status === 'running' || state.status === 'paused' || state.status === 'restarting'
  return [
    running,
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
  return [
    ...any('id', ({ id }, value) => id.startsWith(value)),
    ...nameTests(filters),
    ...any('status', ({ state }, value) => state.status === value),
    ...any('health', ({ state }, value) => (state.health?.status ?? 'none') === value),
    ...any('exited', ({ state, hasBeenStarted }, value) => hasExited(state, hasBeenStarted, parseExitCode(value))),
    ...any('network', ({ endpoints }, value) => usesNetwork(endpoints, value)),
    ...any('volume', ({ mounts }, value) =>
      mounts.some((m) => m.name === value || m.destination === value || m.source === value),
    ),
    ...any('expose', ({ config }, value) =>
      portsInRange('expose', value).some((port) => config.ExposedPorts?.[port] !== undefined),
    ),
    ...any('publish', ({ id }, value) => {
      const wanted = portsInRange('publish', value)
      return hostPorts(context, id).some((port) => wanted.includes(port))
    }),
    ...(booleanFilter(filters, 'is-task') ? [() => false] : []),
    ...any('isolation', ({ hostConfig }, value) => hostConfig.Isolation === value),
    ...(filters['label'] ? [(({ config }) => matchesLabels(config.Labels, filters['label'])) satisfies Test] : []),
  ]
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

function hasExited(state: Container['state'], hasBeenStarted: boolean, code: number): boolean {
  return hasBeenStarted && state.exitCode === code && state.status !== 'running' && state.status !== 'paused'
}

function parseExitCode(value: string): number {
  if (!/^-?\d+$/.test(value)) throw invalid(`invalid filter 'exited=${value}'`)
  return Number(value)
}

function usesNetwork(endpoints: Container['endpoints'], value: string): boolean {
  return Object.entries(endpoints).some(
    ([name, endpoint]) => name === value || (endpoint.NetworkID !== '' && endpoint.NetworkID.startsWith(value)),
  )
}

/** The host's ports that lead to a running container, as `8080/tcp`. */
function hostPorts(context: Context, id: ContainerId): string[] {
  return Object.entries(context.networks.attachment(id)?.ports ?? {}).flatMap(([port, bindings]) => {
    const protocol = port.slice(port.indexOf('/'))
    return (bindings ?? []).map(({ HostPort }) => `${HostPort}${protocol}`)
  })
}

/** `80`, `80/udp`, `8000-8010/tcp` as `port/protocol` keys. */
function portsInRange(filter: string, value: string): string[] {
  const m = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value)
  const first = Number(m?.[1])
  const last = Number(m?.[2] ?? m?.[1])
  if (!m || first > last || last > 65_535) {
    throw invalid(
      `error while looking up for ${filter} ${value}: strconv.ParseUint: parsing ${JSON.stringify(value)}: invalid syntax`,
    )
  }
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${m[3] ?? 'tcp'}`)
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
