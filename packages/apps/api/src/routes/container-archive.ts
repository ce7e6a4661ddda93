import { invalid, notImplemented } from '@berth/base'
import type { Containers } from '@berth/containers'
import type { Exchange } from '../exchange.ts'
import type { Route } from '../router.ts'

interface Deps {
  readonly containers: Pick<Containers, 'get'>
}

/** Copying files into and out of containers. */
export function containerArchiveRoutes({ containers }: Deps): Route[] {
  const refuse = (exchange: Exchange): never => {
    if (!exchange.query.get('path')) throw invalid('bad parameter: path cannot be empty')
    containers.get(exchange.param('name'))
    throw notImplemented('copying files into and out of containers is not implemented yet')
  }
  return (['HEAD', 'GET', 'PUT'] as const).map((method) => ({
    method,
    path: '/containers/:name/archive',
    handler: refuse,
  }))
}
