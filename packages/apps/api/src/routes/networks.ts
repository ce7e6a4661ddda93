import { forbidden, invalid, notFound, notImplemented } from '@berth/base'
import { checkFilters, decodeFilters, type Filters, has, type NetworkResponse } from '@berth/engine-api'
import { readJson } from '../body.ts'
import type { NetworkDirectory } from '../deps.ts'
import type { Exchange, Handler } from '../exchange.ts'
import { sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

interface Deps {
  readonly networks: NetworkDirectory
}

export function networkRoutes({ networks }: Deps): Route[] {
  const showAll: Handler = (exchange) => list(exchange, networks)
  return [
    { method: 'GET', path: '/networks', handler: showAll },
    { method: 'GET', path: '/networks/', handler: showAll },
    {
      method: 'GET',
      path: '/networks/:name',
      handler: async (exchange) => sendJson(exchange, find(await networks.list(), exchange.param('name'))),
    },
    { method: 'DELETE', path: '/networks/:name', handler: (exchange) => remove(exchange, networks) },
    { method: 'POST', path: '/networks/prune', handler: (exchange) => sendJson(exchange, { NetworksDeleted: null }) },
    ...['create', ':name/connect', ':name/disconnect'].map((path): Route => ({
      method: 'POST',
      path: `/networks/${path}`,
      handler: refuseChange,
    })),
  ]
}

const refuseChange: Handler = async (exchange) => {
  await readJson(exchange)
  throw notImplemented('networks other than the predefined ones are not available yet')
}

/** A full id beats a name, a name beats a prefix of an id. */
function find(networks: readonly NetworkResponse[], ref: string): NetworkResponse {
  const exact = networks.find(({ Id }) => Id === ref) ?? networks.find(({ Name }) => Name === ref)
  if (exact) return exact
  const byPrefix = networks.filter(({ Id }) => Id.startsWith(ref))
  if (byPrefix.length > 1) throw invalid(`network ${ref} is ambiguous (${byPrefix.length} matches found on ID prefix)`)
  if (!byPrefix[0]) throw notFound(`network ${ref} not found`)
  return byPrefix[0]
}

async function remove(exchange: Exchange, networks: NetworkDirectory): Promise<void> {
  const { Name } = find(await networks.list(), exchange.param('name'))
  throw forbidden(`${Name} is a pre-defined network and cannot be removed`)
}

const listFilters = new Set(['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'])

async function list(exchange: Exchange, networks: NetworkDirectory): Promise<void> {
  const filters = decodeFilters(exchange.query.get('filters'))
  checkFilters(filters, listFilters)
  const found = (await networks.list()).filter((network) => matches(network, filters))
  const withContainers = has(exchange.version, 'networkListContainers')
  sendJson(exchange, withContainers ? found : found.map((network) => ({ ...network, Containers: {} })))
}

/** Every filter must hold; of one filter's values any, but for labels all. */
function matches(network: NetworkResponse, filters: Filters): boolean {
  return Object.entries(filters).every(([name, values]) => {
    const test = (value: string) => matchesOne(network, name, value)
    return name === 'label' ? values.every(test) : values.some(test)
  })
}

const predefined = new Set(['bridge', 'host', 'none'])

function matchesOne(network: NetworkResponse, filter: string, value: string): boolean {
  switch (filter) {
    case 'driver':
      return network.Driver === value
    case 'id':
      return network.Id.startsWith(value)
    case 'name':
      return network.Name.includes(value)
    case 'scope':
      return network.Scope === value
    case 'label':
      return matchesLabel(network.Labels, value)
    case 'type':
      return matchesType(network, value)
    default:
      return matchesDangling(network, value)
  }
}

function matchesLabel(labels: Record<string, string>, value: string): boolean {
  const at = value.indexOf('=')
  return at < 0 ? Object.hasOwn(labels, value) : labels[value.slice(0, at)] === value.slice(at + 1)
}

function matchesType({ Name }: NetworkResponse, value: string): boolean {
  if (value !== 'builtin' && value !== 'custom') throw invalid(`invalid filter: 'type'='${value}'`)
  return predefined.has(Name) === (value === 'builtin')
}

function matchesDangling({ Name, Containers }: NetworkResponse, value: string): boolean {
  const isDangling = !predefined.has(Name) && Object.keys(Containers).length === 0
  return isDangling === (value === 'true' || value === '1')
}
