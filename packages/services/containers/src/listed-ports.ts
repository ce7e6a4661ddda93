import type { PortMap } from '@berth/engine-api'
import type { Container } from './container.ts'
import type { Context } from './context.ts'

/**
 * A live container's ports as lists and inspect show them: what is published, and as null what is only exposed. Nothing is
 * exposed but on a bridge that leads somewhere, as with Docker.
 */
export function listedPorts({ networks }: Pick<Context, 'networks'>, { id, state, config }: Container): PortMap {
  const attachment = networks.attachment(id)
  if (!attachment || (state.status !== 'running' && state.status !== 'paused')) return {}
  const exposes = Object.values(attachment.endpoints).some(({ NetworkID }) => {
    const { driver, internal } = networks.get(NetworkID)
    return driver === 'bridge' && !internal
  })
  const exposed = exposes ? Object.keys(config.ExposedPorts ?? {}) : []
  const unpublished = exposed.map((key) => [key.includes('/') ? key : `${key}/tcp`, null] as const)
  return { ...Object.fromEntries(unpublished), ...attachment.ports }
}
