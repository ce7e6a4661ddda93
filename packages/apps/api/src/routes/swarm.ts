import { unavailable } from '@berth/base'
import type { Handler } from '../exchange.ts'
import type { Route } from '../router.ts'

export const notManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

function refuse(message: string): Handler {
  return () => {
    throw unavailable(message)
  }
}

/** Clients call these in passing, so they get the words of an engine that is in no swarm. */
export function swarmRoutes(): Route[] {
  const resources = ['/swarm', '/nodes', '/services', '/tasks', '/secrets', '/configs']
  const methods = ['GET', 'POST', 'DELETE'] as const
  return [
    { method: 'POST', path: '/swarm/leave', handler: refuse('This node is not part of a swarm') },
    { method: 'POST', path: '/swarm/init', handler: refuse('swarm mode is not available') },
    { method: 'POST', path: '/swarm/join', handler: refuse('swarm mode is not available') },
    ...resources.map((path): Route => ({ method: 'GET', path, handler: refuse(notManager) })),
    ...resources.flatMap((path) =>
      methods.map((method): Route => ({ method, path: `${path}/*`, handler: refuse(notManager) })),
    ),
  ]
}
