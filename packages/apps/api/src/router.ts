import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { Handler } from './exchange.ts'

export interface Route {
  readonly method: HTTPMethod
  /** find-my-way's grammar, without the version: `/containers/:name/json`. */
  readonly path: string
  readonly handler: Handler
  /** Whether a client may ask to upgrade the connection here, and to what. */
  readonly upgradesTo?: 'stream' | 'websocket' | 'h2c'
  /** Whether a large body is left in its socket for `upload()`. */
  readonly leavesBody?: boolean
}

export interface Match {
  readonly route: Route
  readonly params: Readonly<Record<string, string | undefined>>
}

export interface Router {
  find(method: string, path: string): Match | undefined
}

/** Names of images may be long; the request's head is bounded anyway. */
const longestParameter = 4096

export function createRouter(routes: readonly Route[]): Router {
  const tree = findMyWay({ maxParamLength: longestParameter })
  for (const route of routes) tree.on(route.method, route.path, () => undefined, route)
  return {
    find(method, path) {
      const found = tree.find(method as HTTPMethod, path)
      return found ? { route: found.store as Route, params: found.params } : undefined
    },
  }
}

export interface Location {
  /** Without the version's prefix. */
  readonly path: string
  readonly search: string
  /** `1.44`; undefined: the newest. */
  readonly version: string | undefined
}

const versioned = /^\/v([0-9.]+)(\/.*)$/

/** Takes a request's target apart. */
export function parseTarget(requested: string): Location {
  const target = withoutOrigin(requested)
  const at = target.indexOf('?')
  const whole = at < 0 ? target : target.slice(0, at)
  const search = at < 0 ? '' : target.slice(at + 1)
  const match = whole.startsWith('/v') ? versioned.exec(whole) : null
  return { path: match?.[2] ?? whole, search, version: match?.[1] }
}

/** A proxy's client names the whole address (RFC 9112, section 3.2.2). */
function withoutOrigin(target: string): string {
  if (target.startsWith('/')) return target
  const slash = target.indexOf('/', target.indexOf('://') + 3)
  return slash < 0 ? '/' : target.slice(slash)
}

/** Where a path with empty segments was meant to go; undefined when it has none. */
export function cleanedTarget(target: string): string | undefined {
  const at = target.indexOf('?')
  const path = at < 0 ? target : target.slice(0, at)
  if (!path.includes('//')) return undefined
  return path.replace(/\/{2,}/g, '/') + (at < 0 ? '' : target.slice(at))
}
