import { setTimeout as sleep } from 'node:timers/promises'
import { patience } from './patience.ts'

/** Waits until `condition` holds, asking often; throws after `timeoutMs`. For what cannot be awaited as an event. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + patience(timeoutMs)
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${condition}`)
    await sleep(20)
  }
}
