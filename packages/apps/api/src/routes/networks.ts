import type { Containers } from '@berth/containers'
import {
  checkFilters,
  decodeFilters,
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
  has,
  strictBoolParameter,
} from '@berth/engine-api'
import { notFound } from '@berth/base'
import type { Networks } from '@berth/networks'
import { readJson } from '../body.ts'
import type { Exchange, Handler } from '../exchange.ts'
import { listFilters, matchesNetwork } from '../presenters/network-filters.ts'
import { sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

interface Deps {
  readonly networks: Pick<Networks, 'create' | 'describe' | 'list' | 'remove' | 'prune'>
  readonly containers: Pick<Containers, 'connectNetwork' | 'disconnectNetwork'>
}

/** A network's name may have slashes, as Docker allows: only a path's end says what is meant. */
const changePath = /^(.+)\/(connect|disconnect)$/

export function networkRoutes({ networks, containers }: Deps): Route[] {
  const showAll: Handler = (exchange) => list(exchange, networks)
  return [
    { method: 'GET', path: '/networks', handler: showAll },
    { method: 'GET', path: '/networks/', handler: showAll },
    { method: 'GET', path: '/networks/*', handler: (exchange) => inspect(exchange, networks) },
    { method: 'DELETE', path: '/networks/*', handler: (exchange) => remove(exchange, networks) },
    { method: 'POST', path: '/networks/create', handler: (exchange) => create(exchange, networks) },
    { method: 'POST', path: '/networks/prune', handler: (exchange) => prune(exchange, networks) },
    { method: 'POST', path: '/networks/*', handler: (exchange) => changeMembership(exchange, containers) },
  ]
}

async function create(exchange: Exchange, networks: Pick<Networks, 'create'>): Promise<void> {
  const request = decodeNetworkCreate(await readJson(exchange), exchange.version)
  sendJson(exchange, { Id: await networks.create(request), Warning: '' }, 201)
}

function inspect(exchange: Exchange, networks: Pick<Networks, 'describe'>): void {
  const { query } = exchange
  // What swarm adds to the answer, no local network has.
  strictBoolParameter(query, 'verbose')
  const ref = exchange.param('*')
  const network = networks.describe(ref)
  const scope = query.get('scope')
  if (scope && network.Scope !== scope) throw notFound(`network ${ref} not found`)
  sendJson(exchange, network)
}

async function remove(exchange: Exchange, networks: Pick<Networks, 'remove'>): Promise<void> {
  await networks.remove(exchange.param('*'))
  sendEmpty(exchange, 204)
}

async function prune(exchange: Exchange, networks: Pick<Networks, 'prune'>): Promise<void> {
  const removed = await networks.prune(decodeFilters(exchange.query.get('filters')))
  sendJson(exchange, { NetworksDeleted: removed.length > 0 ? removed : null })
}

function list(exchange: Exchange, networks: Pick<Networks, 'list'>): void {
  const filters = decodeFilters(exchange.query.get('filters'))
  checkFilters(filters, listFilters)
  const found = networks.list().filter((network) => matchesNetwork(network, filters))
  const withContainers = has(exchange.version, 'networkListContainers')
  sendJson(exchange, withContainers ? found : found.map((network) => ({ ...network, Containers: {} })))
}

async function changeMembership(exchange: Exchange, containers: Deps['containers']): Promise<void> {
  const [, network = '', action] = changePath.exec(exchange.param('*')) ?? []
  if (network === '') throw notFound('page not found')
  const body = await readJson(exchange)
  if (action === 'connect') {
    const { Container, EndpointConfig } = decodeNetworkConnect(body, exchange.version)
    await containers.connectNetwork({ network, container: Container, settings: EndpointConfig })
  } else {
    const { Container, Force } = decodeNetworkDisconnect(body)
    await containers.disconnectNetwork({ network, container: Container, force: Force })
  }
  sendEmpty(exchange, 200)
}
