import { notFound, notImplemented } from '@berth/base'
import { sendJson } from '../respond.ts'
import type { Exchange } from '../exchange.ts'
import type { Route } from '../router.ts'

type Refusal = readonly [method: Route['method'], path: string, message: string]

const refusals: readonly Refusal[] = [
  ['POST', '/build/cancel', 'a build ends when its client leaves'],
  ['GET', '/plugins/privileges', 'plugins are not available'],
  ['POST', '/plugins/pull', 'plugins are not available'],
  ['POST', '/plugins/create', 'plugins are not available'],
]

/** Of a plugin that is not there, as none is. */
const pluginVerb = /\/(json|enable|disable|set|push|upgrade)$/

function refusePlugin(exchange: Exchange): never {
  throw notFound(`plugin "${exchange.param('*').replace(pluginVerb, '')}" not found`)
}

/** What the engine does not do: refused with words rather than as an unknown page. */
export function unavailableRoutes(): Route[] {
  return [
    { method: 'GET', path: '/plugins', handler: (exchange) => sendJson(exchange, []) },
    ...(['GET', 'POST', 'DELETE'] as const).map((method) => ({ method, path: '/plugins/*', handler: refusePlugin })),
    ...refusals.map(([method, path, message]): Route => ({
      method,
      path,
      handler: () => {
        throw notImplemented(message)
      },
    })),
  ]
}
