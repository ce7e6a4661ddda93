// Watches what happens to one container, and stops by an AbortSignal.
import { openEngine } from '@berth/engine-client'

using engine = openEngine()
const watching = new AbortController()
const filters = { type: ['container'], label: ['example=events'] }
const seen: string[] = []
const watcher = (async () => {
  for await (const { Action } of engine.system.events({ filters, since: String(Date.now() / 1000) }, watching.signal)) {
    seen.push(Action)
    if (Action === 'destroy') watching.abort()
  }
})().catch((error: unknown) => {
  if (!watching.signal.aborted) throw error
})
{
  await using job = await engine.run('busybox', { command: ['true'], labels: { example: 'events' } })
  await job.wait()
}
await watcher
console.log(seen.join(' '))
