import { conflict } from '@berth/base'
import type { Container } from './container.ts'

/** The container when it runs (paused counts); `conflict` in Docker's words otherwise. */
export function requireRunning(container: Container): Container {
  const { status } = container.state
  if (status === 'restarting') {
    throw conflict(`Container ${container.id} is restarting, wait until the container is running`)
  }
  if (status !== 'running' && status !== 'paused') throw conflict(`container ${container.id} is not running`)
  return container
}

/** As `requireRunning`, and not paused; `ref` is what the client calls it. */
export function requireActive(container: Container, ref: string): Container {
  requireRunning(container)
  if (container.state.status === 'paused') {
    throw conflict(`Container ${ref} is paused, unpause the container before exec`)
  }
  return container
}
