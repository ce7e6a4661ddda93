import { internal } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'

/** Refuses, at start as Docker does, devices that only a vendor's driver could choose (`--gpus`, CDI). */
export function requireNoDeviceRequests({ DeviceRequests }: Pick<HostConfig, 'DeviceRequests'>): void {
  const [request] = DeviceRequests ?? []
  if (request === undefined) return
  const capabilities = (request.Capabilities ?? []).map((all) => `[${all.join(' ')}]`).join(' ')
  const driver = JSON.stringify(request.Driver)
  throw internal(`could not select device driver ${driver} with capabilities: [${capabilities}]`)
}
