import type { ContainerId } from '@berth/base'
import type { Context } from '../context.ts'
import { serveNames } from '../dns/serve-sandbox.ts'
import type { Endpoint } from '../model.ts'
import { shownOf } from './attach.ts'
import { dnsNames } from './take-endpoint.ts'

/** A running container is found by its new name from now on. */
export function rename(context: Context, containerId: ContainerId, name: string): void {
  const state = context.states.get(containerId)
  if (!state) return
  const endpoints = state.endpoints.map((endpoint) => renamed(endpoint, { ...state.request, name }))
  const attachment = { ...state.attachment, ...shownOf({ endpoints, ports: state.ports }) }
  const next = { ...state, name, endpoints, attachment }
  context.states.put(next)
  serveNames(context, next)
}

function renamed(endpoint: Endpoint, owner: Parameters<typeof dnsNames>[0]): Endpoint {
  const { settings } = endpoint
  if (settings.DNSNames === null) return endpoint
  return { ...endpoint, settings: { ...settings, DNSNames: dnsNames(owner, settings.Aliases) } }
}
