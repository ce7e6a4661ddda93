import { readTop } from '@berth/runtime'
import { announce } from './announce.ts'
import type { TopResult } from './containers.ts'
import type { Context } from './context.ts'
import { requireRunning } from './transitions.ts'

/** The container's processes as `ps` prints them with `psArgs`. */
export async function listProcesses(context: Context, ref: string, psArgs: string): Promise<TopResult> {
  const container = requireRunning(context.registry.resolve(ref))
  const table = await readTop(await context.runtime.pids(container.id), psArgs)
  announce(context, container, 'top')
  return table
}
