import type { ContainerId } from '@berth/base'
import type { Context } from '../context.ts'
import { serveNames } from '../dns/serve-sandbox.ts'
import type { Endpoint } from '../model.ts'
import { withMembership } from './sandbox-states.ts'
import { dnsNames } from './take-endpoint.ts'

/** A running container is found by its new name from now on. */
export function rename(context: Context, containerId: ContainerId, name: string): void {
  const state = context.states.get(containerId)
  if (!state) return
  const endpoints = state.endpoints.map((endpoint) => renamed(endpoint, { ...state.request, name }))
  const next = { ...withMembership(state, { endpoints, ports: state.ports }), name }
  context.states.put(next)
  serveNames(context, next)
}

function renamed(endpoint: Endpoint, owner: Parameters<typeof dnsNames>[0]): Endpoint {
  const { settings } = endpoint
  if (settings.DNSNames === null) return endpoint
  return { ...endpoint, settings: { ...settings, DNSNames: dnsNames(owner, settings.Aliases) } }
}
