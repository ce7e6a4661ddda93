import { codeOf, isKind, unavailable } from '@berth/base'
import { boolParameter, decodeFilters, decodeVolumeCreate, has, type VolumeResponse } from '@berth/engine-api'
import type { Volume, Volumes } from '@berth/volumes'
import { readJson } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'
import { notManager } from './swarm.ts'

interface Deps {
  readonly volumes: Pick<Volumes, 'create' | 'get' | 'list' | 'remove' | 'prune'>
}

export function volumeRoutes({ volumes }: Deps): Route[] {
  return [
    { method: 'GET', path: '/volumes', handler: (exchange) => list(exchange, volumes) },
    { method: 'POST', path: '/volumes/create', handler: (exchange) => create(exchange, volumes) },
    { method: 'POST', path: '/volumes/prune', handler: (exchange) => prune(exchange, volumes) },
    {
      method: 'GET',
      path: '/volumes/:name',
      handler: (exchange) => sendJson(exchange, presentVolume(volumes.get(exchange.param('name')))),
    },
    { method: 'PUT', path: '/volumes/:name', handler: refuseUpdate },
    { method: 'DELETE', path: '/volumes/:name', handler: (exchange) => remove(exchange, volumes) },
  ]
}

/** The same wherever a volume is shown. */
export function presentVolume(volume: Volume): VolumeResponse {
  const { name, driver, createdAt, labels, options, mountpoint } = volume
  return {
    CreatedAt: createdAt,
    Driver: driver,
    Labels: labels && { ...labels },
    Mountpoint: mountpoint,
    Name: name,
    Options: options && { ...options },
    Scope: 'local',
  }
}

/** With their sizes in bytes; without those that a driver's options mount: what is there may not be on this disk. */
export async function measureVolumes(volumes: Pick<Volumes, 'list' | 'usage' | 'users'>): Promise<VolumeResponse[]> {
  const users = volumes.users()
  const measured: VolumeResponse[] = []
  for (const volume of volumes.list().filter(({ options }) => Object.keys(options ?? {}).length === 0)) {
    const Size = await unlessGone(volumes.usage(volume.name))
    if (Size === undefined) continue
    measured.push({ ...presentVolume(volume), UsageData: { RefCount: users.get(volume.name)?.size ?? 0, Size } })
  }
  return measured
}

/** Undefined when the volume was removed meanwhile. */
async function unlessGone(usage: Promise<number>): Promise<number | undefined> {
  try {
    return await usage
  } catch (error) {
    if (isKind(error, 'notFound') || codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function list(exchange: Exchange, volumes: Deps['volumes']): void {
  const found = volumes.list(decodeFilters(exchange.query.get('filters')))
  sendJson(exchange, { Volumes: found.map(presentVolume), Warnings: null })
}

async function create(exchange: Exchange, volumes: Deps['volumes']): Promise<void> {
  const { isCluster, ...request } = decodeVolumeCreate(await readJson(exchange))
  if (isCluster) throw unavailable(notManager)
  sendJson(exchange, presentVolume(await volumes.create(request)), 201)
}

async function prune(exchange: Exchange, volumes: Deps['volumes']): Promise<void> {
  const filters = decodeFilters(exchange.query.get('filters'))
  const all = !has(exchange.version, 'pruneAnonymousVolumes')
  const { deleted, reclaimedBytes } = await volumes.prune(filters, { all })
  sendJson(exchange, { VolumesDeleted: deleted, SpaceReclaimed: reclaimedBytes })
}

function refuseUpdate(): never {
  throw unavailable('volume update only valid for cluster volumes, but swarm is unavailable')
}

async function remove(exchange: Exchange, volumes: Deps['volumes']): Promise<void> {
  await volumes.remove(exchange.param('name'), { force: boolParameter(exchange.query, 'force') })
  sendEmpty(exchange, 204)
}
