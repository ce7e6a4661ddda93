import { notFound, notImplemented } from '@berth/base'
import { boolParameter, checkFilters, decodeFilters } from '@berth/engine-api'
import { readJson } from '../body.ts'
import type { Exchange } from '../exchange.ts'
import { sendEmpty, sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

const listFilters = new Set(['dangling', 'driver', 'label', 'name'])

/** There are no named volumes yet: lists are empty, lookups fail as for a name that does not exist. */
export function volumeRoutes(): Route[] {
  return [
    { method: 'GET', path: '/volumes', handler: list },
    { method: 'POST', path: '/volumes/create', handler: refuseCreate },
    {
      method: 'POST',
      path: '/volumes/prune',
      handler: (exchange) => sendJson(exchange, { VolumesDeleted: null, SpaceReclaimed: 0 }),
    },
    { method: 'GET', path: '/volumes/:name', handler: missing },
    { method: 'DELETE', path: '/volumes/:name', handler: remove },
  ]
}

function list(exchange: Exchange): void {
  checkFilters(decodeFilters(exchange.query.get('filters')), listFilters)
  sendJson(exchange, { Volumes: [], Warnings: null })
}

async function refuseCreate(exchange: Exchange): Promise<void> {
  await readJson(exchange)
  throw notImplemented('named volumes are not available yet')
}

function missing(exchange: Exchange): never {
  throw notFound(`get ${exchange.param('name')}: no such volume`)
}

function remove(exchange: Exchange): void {
  if (!boolParameter(exchange.query, 'force')) missing(exchange)
  sendEmpty(exchange, 204)
}
