import { codeOf, internal, notImplemented } from '@berth/base'
import { RouteRequest, RouteSocket } from '@berth/linux'
import type { NetworkRecord } from '../model.ts'

// The first link of every namespace, the loopback: nothing can be stacked on it, but the kernel looks for the kind first.
const loopbackIndex = 1

/** macvlan and ipvlan are the kernel's. Throws `internal` in Docker's words where it has none. */
export function requireKernelDriver({ driver, configOnly }: Pick<NetworkRecord, 'driver' | 'configOnly'>): void {
  if (configOnly || (driver !== 'macvlan' && driver !== 'ipvlan')) return
  using socket = new RouteSocket()
  const name = `${driver}-probe`
  try {
    socket.send(new RouteRequest().addLinkOn(loopbackIndex, driver, name), `look for ${driver}`)
    socket.send(new RouteRequest().deleteLink(name), `delete ${name}`)
  } catch (error) {
    if (codeOf(error) === 'EOPNOTSUPP' || codeOf(error) === 'ENOTSUP') {
      throw internal(`operation not supported: the kernel has no driver ${driver}`, error)
    }
  }
  throw notImplemented(`the driver ${driver} is not available yet`)
}
