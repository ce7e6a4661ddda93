import { fault, messageOf } from '@berth/base'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { unmountShm } from './spec-namespaces.ts'

/** Gives back what a run holds: each step is tried, whatever the others do. Idempotent. */
export async function releaseRun(context: Context, container: Container): Promise<void> {
  const { id } = container
  const steps: readonly [string, () => unknown][] = [
    ['runtime', () => context.runtime.release(id)],
    ['network', () => context.networks.detach(id)],
    ['shared memory', () => unmountShm(context, container)],
    ['volumes', () => context.volumes.unmountAll(id)],
    ['root filesystem', () => context.snapshots.unmount(id)],
  ]
  for (const [what, step] of steps) {
    try {
      await step()
      fault(`release: ${what}`)
    } catch (error) {
      context.logger.error({ id, error: messageOf(error) }, `releasing a run: ${what}`)
    }
  }
}
