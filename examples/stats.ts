// Measures a container once a second, twice.
import { openEngine } from '@berth/engine-client'

using engine = openEngine()
await using busy = await engine.run('busybox', {
  command: ['sh', '-c', 'while :; do :; done'],
  memoryBytes: 64 * 2 ** 20,
})
let count = 0
for await (const { memory_stats, pids_stats } of busy.stats()) {
  console.log(`limit ${memory_stats.limit}, processes ${pids_stats.current}`)
  if (++count === 2) break
}
