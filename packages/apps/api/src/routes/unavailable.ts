import { notFound, notImplemented } from '@berth/base'
import { sendJson } from '../respond.ts'
import type { Route } from '../router.ts'

type Refusal = readonly [method: Route['method'], path: string, message: string]

const refusals: readonly Refusal[] = [
  ['POST', '/build/cancel', 'a build ends when its client leaves'],
  ['GET', '/plugins/privileges', 'plugins are not available'],
  ['POST', '/plugins/*', 'plugins are not available'],
  ['DELETE', '/plugins/*', 'plugins are not available'],
]

/** What the engine does not do: refused with words rather than as an unknown page. */
export function unavailableRoutes(): Route[] {
  return [
    { method: 'GET', path: '/plugins', handler: (exchange) => sendJson(exchange, []) },
    {
      method: 'GET',
      path: '/plugins/*',
      handler: (exchange) => {
        throw notFound(`plugin "${exchange.param('*').replace(/\/json$/, '')}" not found`)
      },
    },
    ...refusals.map(([method, path, message]): Route => ({
      method,
      path,
      handler: () => {
        throw notImplemented(message)
      },
    })),
  ]
}
