import { invalid } from '@berth/base'
import type { Builder } from '@berth/builder'
import type { Containers } from '@berth/containers'
import { type DiskUsageResponse, has } from '@berth/engine-api'
import type { Images } from '@berth/images'
import type { Volumes } from '@berth/volumes'
import type { System } from '../deps.ts'
import type { Exchange } from '../exchange.ts'
import { presentInfo, presentVersion } from '../presenters/system.ts'
import { sendJson } from '../respond.ts'
import type { Route } from '../router.ts'
import { presentCacheRecord } from './build.ts'
import { summarise } from './containers.ts'
import { summariseImages } from './images.ts'
import { measureVolumes } from './volumes.ts'

interface Deps {
  readonly system: System
  readonly builder: Pick<Builder, 'cacheRecords'>
  readonly containers: Pick<Containers, 'get' | 'list' | 'network' | 'size'>
  readonly images: Pick<Images, 'list' | 'resolve' | 'history'>
  readonly volumes: Pick<Volumes, 'list' | 'usage' | 'users'>
  readonly isExperimental: boolean
}

/** The engine itself. */
export function systemRoutes(deps: Deps): Route[] {
  return [
    { method: 'GET', path: '/_ping', handler: (exchange) => ping(exchange, deps.system) },
    { method: 'HEAD', path: '/_ping', handler: (exchange) => ping(exchange, deps.system) },
    {
      method: 'GET',
      path: '/version',
      handler: async (exchange) => sendJson(exchange, presentVersion(await deps.system.version(), deps.isExperimental)),
    },
    { method: 'GET', path: '/info', handler: (exchange) => info(exchange, deps) },
    { method: 'GET', path: '/system/df', handler: (exchange) => diskUsage(exchange, deps) },
  ]
}

function ping({ request, response }: Exchange, system: Pick<System, 'builderVersion'>): void {
  response.writeHead(200, {
    'Builder-Version': system.builderVersion(),
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': request.method === 'HEAD' ? 0 : 2,
  })
  response.end('OK')
}

const everything = { all: true, size: false, filters: {} }

async function info(exchange: Exchange, { system, containers, images, isExperimental }: Deps): Promise<void> {
  const [facts, found, named] = await Promise.all([system.info(), containers.list(everything), images.list({})])
  const count = new Set(named.map(({ id }) => id)).size
  sendJson(exchange, { ...presentInfo(facts, found, count, exchange.version), ExperimentalBuild: isExperimental })
}

const objectTypes = ['container', 'image', 'volume', 'build-cache'] as const
type ObjectType = (typeof objectTypes)[number]

async function diskUsage(exchange: Exchange, deps: Deps): Promise<void> {
  const { version } = exchange
  const wanted = readTypes(exchange)
  const options = { withShared: true, withContainers: true, version }
  const answer: DiskUsageResponse = {}
  if (wanted.has('image')) {
    answer.LayersSize = await deps.system.layersSize()
    answer.Images = await summariseImages(await deps.images.list({ all: true }), deps, options)
  }
  if (wanted.has('container')) {
    const found = await deps.containers.list(everything)
    answer.Containers = (await summarise(found, deps, { withSize: true, version })) as DiskUsageResponse['Containers']
  }
  if (wanted.has('volume')) answer.Volumes = await measureVolumes(deps.volumes)
  if (wanted.has('build-cache')) answer.BuildCache = (await deps.builder.cacheRecords()).map(presentCacheRecord)
  sendJson(exchange, answer)
}

function readTypes({ query, version }: Exchange): ReadonlySet<ObjectType> {
  const types = has(version, 'diskUsageTypes') ? query.getAll('type') : []
  const unknown = types.find((type) => !objectTypes.includes(type as ObjectType))
  if (unknown !== undefined) throw invalid(`unknown object type: ${unknown}`)
  return new Set(types.length > 0 ? (types as ObjectType[]) : objectTypes)
}
