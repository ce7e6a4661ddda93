// Follows a container's output, line by line, until it has said what we wait for.
import { openEngine } from '@berth/engine-client'

using engine = openEngine()
await using counter = await engine.run('busybox', {
  command: ['sh', '-c', 'i=0; while :; do i=$((i + 1)); echo "line $i"; sleep 0.1; done'],
})
for await (const { stream, text } of counter.logs({ follow: true })) {
  console.log(`${stream}: ${text}`)
  if (text === 'line 3') break
}
