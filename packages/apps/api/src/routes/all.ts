import type { ApiDeps } from '../deps.ts'
import type { Route } from '../router.ts'
import { buildRoutes } from './build.ts'
import { buildkitRoutes } from './buildkit.ts'
import { checkRoutes } from './check.ts'
import { containerArchiveRoutes } from './container-archive.ts'
import { containerStreamRoutes } from './container-streams.ts'
import { containerRoutes } from './containers.ts'
import { eventRoutes } from './events.ts'
import { execRoutes } from './exec.ts'
import { imageArchiveRoutes } from './image-archives.ts'
import { imageRoutes } from './images.ts'
import { lifecycleRoutes } from './lifecycle.ts'
import { networkRoutes } from './networks.ts'
import { registryRoutes } from './registry.ts'
import { swarmRoutes } from './swarm.ts'
import { systemRoutes } from './system.ts'
import { unavailableRoutes } from './unavailable.ts'
import { volumeRoutes } from './volumes.ts'

/** Every route of the API. */
export function allRoutes(deps: ApiDeps): Route[] {
  return [
    ...systemRoutes(deps),
    ...eventRoutes(deps),
    ...containerRoutes(deps),
    ...lifecycleRoutes(deps),
    ...containerStreamRoutes(deps),
    ...containerArchiveRoutes(deps),
    ...checkRoutes(deps),
    ...execRoutes(deps),
    ...imageRoutes(deps),
    ...registryRoutes(deps),
    ...imageArchiveRoutes(deps),
    ...networkRoutes(deps),
    ...volumeRoutes(deps),
    ...buildRoutes(deps),
    ...buildkitRoutes(deps),
    ...swarmRoutes(),
    ...unavailableRoutes(),
  ]
}
