// Runs further commands inside a container; typed errors tell what went wrong.
import { ApiError, openEngine } from '@berth/engine-client'

using engine = openEngine()
await using box = await engine.run('busybox', { command: ['sleep', '600'], env: { GREETING: 'hello' } })
const { exitCode, stdout } = await box.exec(['sh', '-c', 'echo "$GREETING from inside"; exit 3'])
console.log(`${exitCode}: ${stdout.trim()}`)
try {
  await engine.containers.inspect('no-such-container')
} catch (error) {
  if (!(error instanceof ApiError)) throw error
  console.log(`${error.status}: ${error.message}`)
}
