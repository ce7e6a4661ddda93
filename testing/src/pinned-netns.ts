import { closeSync } from 'node:fs'
import { createNetns, pinNetns, RouteSocket } from '@berth/linux'

/** Makes a network namespace that is kept at the new file `path`, and a socket inside. */
export function pinnedNetns(path: string): RouteSocket {
  const { netns, result: inside } = createNetns(() => new RouteSocket())
  try {
    pinNetns(netns, path)
    return inside
  } finally {
    closeSync(netns)
  }
}
