import { invalid, isKind } from '@berth/base'
import type { Container, Containers, SizeInfo } from '@berth/containers'
import {
  boolParameter,
  decodeCommit,
  decodeContainerCreate,
  decodeFilters,
  type Filters,
  has,
  intParameter,
} from '@berth/engine-api'
import type { Images } from '@berth/images'
import type { ImageRunConfig } from '@berth/oci'
import { readJson } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { type InspectFacts, presentContainer } from '../presenters/container.ts'
import { presentSummary } from '../presenters/container-summary.ts'
import { linkNames, presentLinks } from '../presenters/links.ts'
import { imageReference } from '../reference.ts'
import { sendChunks, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

type Used =
  | 'create'
  | 'get'
  | 'list'
  | 'size'
  | 'logPath'
  | 'files'
  | 'network'
  | 'graphDriver'
  | 'top'
  | 'changes'
  | 'exportTree'
  | 'prune'
  | 'commit'
  | 'anticipateExec'

interface Deps {
  readonly containers: Pick<Containers, Used>
  readonly images: Pick<Images, 'resolve'>
}

/** Making containers and looking at them. */
export function containerRoutes(deps: Deps): Route[] {
  const { containers } = deps
  return [
    { method: 'GET', path: '/containers/json', handler: (exchange) => list(exchange, deps) },
    { method: 'POST', path: '/containers/create', handler: (exchange) => create(exchange, containers) },
    { method: 'POST', path: '/containers/prune', handler: (exchange) => prune(exchange, containers) },
    { method: 'GET', path: '/containers/:name/json', handler: (exchange) => inspect(exchange, containers) },
    { method: 'GET', path: '/containers/:name/top', handler: (exchange) => top(exchange, containers) },
    { method: 'GET', path: '/containers/:name/changes', handler: (exchange) => changes(exchange, containers) },
    { method: 'GET', path: '/containers/:name/export', handler: (exchange) => exportTree(exchange, containers) },
    { method: 'POST', path: '/commit', handler: (exchange) => commit(exchange, containers) },
  ]
}

async function create(exchange: Exchange, containers: Pick<Containers, 'create'>): Promise<void> {
  const { query, version } = exchange
  const body = await readJson(exchange, { required: true })
  const { config, hostConfig, endpoints, warnings } = decodeContainerCreate(body, version)
  const name = query.get('name')
  const platform = has(version, 'createPlatform') ? query.get('platform') : null
  const created = await containers.create({
    config,
    hostConfig,
    endpoints,
    ...(name ? { name } : {}),
    ...(platform ? { platform } : {}),
  })
  sendJson(exchange, { Id: created.id, Warnings: [...warnings, ...created.warnings] }, 201)
}

const closedSets: Record<string, readonly [what: string, values: readonly string[]]> = {
  status: ['state', ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']],
  health: ['health', ['none', 'starting', 'healthy', 'unhealthy']],
}

/** The values that a filter may have, in Docker's words; which filters there are the service knows. */
function checkValues(filters: Filters): void {
  for (const [name, [what, accepted]] of Object.entries(closedSets)) {
    const value = filters[name]?.find((given) => !accepted.includes(given))
    if (value === undefined) continue
    const choices = accepted.join(', ')
    throw invalid(`invalid filter '${name}=${value}': invalid value for ${what} (${value}): must be one of ${choices}`)
  }
}

async function list(exchange: Exchange, deps: Deps): Promise<void> {
  const { query, version } = exchange
  const limit = intParameter(query, 'limit')
  const listQuery = {
    all: boolParameter(query, 'all'),
    size: boolParameter(query, 'size'),
    filters: decodeFilters(query.get('filters')),
    ...(limit === undefined || limit <= 0 ? {} : { limit }),
  }
  checkValues(listQuery.filters)
  const found = await deps.containers.list(listQuery)
  sendJson(exchange, await summarise(found, deps, { withSize: listQuery.size, version }))
}

/** The entries of a list. */
export async function summarise(
  found: readonly Container[],
  { containers, images }: Pick<Deps, 'images'> & { containers: Pick<Containers, 'get' | 'list' | 'network' | 'size'> },
  { withSize, version }: { readonly withSize: boolean; readonly version: number },
): Promise<unknown[]> {
  const all = found.length > 0 ? await containers.list({ all: true, size: false, filters: {} }) : []
  const names = linkNames(all, finder(containers))
  const currentIds = await resolveAll(found, images)
  const nowMs = Date.now()
  const sizes: SizeInfo[] = []
  // One after the other: each walks a tree.
  if (withSize) for (const { id } of found) sizes.push(await containers.size(id))
  return found.map((container, index) => {
    const size = sizes[index]
    const facts = {
      linkNames: names.get(container.id) ?? [],
      image: currentIds.get(container.config.Image) === container.imageId ? container.config.Image : container.imageId,
      ports: containers.network(container.id).ports,
      ...(size ? { size } : {}),
      nowMs,
    }
    return presentSummary(container, facts, version)
  })
}

/** Image ids by the references that the containers were made from. */
async function resolveAll(found: readonly Container[], images: Deps['images']): Promise<Map<string, string>> {
  const references = [...new Set(found.map(({ config }) => config.Image))]
  const ids = await Promise.all(
    references.map((reference) =>
      images.resolve(reference).then(
        ({ id }) => id as string,
        () => '',
      ),
    ),
  )
  return new Map(references.map((reference, index) => [reference, ids[index]!]))
}

function finder(containers: Pick<Containers, 'get'>): (ref: string) => Container | undefined {
  return (ref) => {
    try {
      return containers.get(ref)
    } catch (error) {
      if (isKind(error, 'notFound')) return undefined
      throw error
    }
  }
}

async function inspect(exchange: Exchange, containers: Deps['containers']): Promise<void> {
  const container = containers.get(exchange.param('name'))
  const { id } = container
  const facts: InspectFacts = {
    logPath: containers.logPath(id),
    files: containers.files(id),
    network: containers.network(id),
    graphDriver: containers.graphDriver(id),
    links: presentLinks(container, finder(containers)),
    ...(boolParameter(exchange.query, 'size') ? { size: await containers.size(id) } : {}),
  }
  sendJson(exchange, presentContainer(container, facts, exchange.version))
  containers.anticipateExec(id)
}

async function top(exchange: Exchange, containers: Pick<Containers, 'top'>): Promise<void> {
  sendJson(exchange, await containers.top(exchange.param('name'), exchange.query.get('ps_args') ?? ''))
}

const kinds = { modified: 0, added: 1, deleted: 2 } as const

/** JSON has no words for bytes that are no UTF-8: they read as U+FFFD, as from Docker. */
async function changes(exchange: Exchange, containers: Pick<Containers, 'changes'>): Promise<void> {
  const found = await containers.changes(exchange.param('name'))
  const answer = found.map(({ path, kind }) => ({ Path: path.toWellFormed(), Kind: kinds[kind] }))
  sendJson(exchange, answer.length > 0 ? answer : null)
}

async function exportTree(exchange: Exchange, containers: Pick<Containers, 'exportTree'>): Promise<void> {
  const tree = containers.exportTree(exchange.param('name'))
  await sendChunks(exchange, tree, { contentType: 'application/octet-stream' })
}

async function prune(exchange: Exchange, containers: Pick<Containers, 'prune'>): Promise<void> {
  const { deleted, reclaimedBytes } = await containers.prune(decodeFilters(exchange.query.get('filters')))
  sendJson(exchange, { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimedBytes })
}

async function commit(exchange: Exchange, containers: Pick<Containers, 'commit'>): Promise<void> {
  const { query } = exchange
  const config = decodeCommit(await readJson(exchange))
  const reference = imageReference(query.get('repo'), query.get('tag'))
  const author = query.get('author')
  const message = query.get('comment')
  const container = query.get('container')
  if (!container) throw invalid('invalid name or ID supplied: ""')
  const id = await containers.commit(container, {
    pause: boolParameter(query, 'pause', true) || query.get('pause') === '',
    changes: query.getAll('changes'),
    ...(reference ? { reference } : {}),
    ...(author ? { author } : {}),
    ...(message ? { message } : {}),
    ...(config ? { config: config satisfies ImageRunConfig } : {}),
  })
  sendJson(exchange, { Id: id }, 201)
}
