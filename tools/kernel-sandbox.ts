// Preloaded into each file that `node --test` runs (tools/run-kernel-tests): runs the file again inside its own mount
// and network namespace, passes its report through, and fails the file when anything of it is left on the host.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { leaksSince, readHostState, sandboxVariable } from '@berth/testing'

const isTestFile = process.env['NODE_TEST_CONTEXT'] !== undefined
if (isTestFile && process.env[sandboxVariable] === undefined) process.exit(await runInSandbox())

async function runInSandbox(): Promise<number> {
  const before = readHostState()
  const name = `${basename(process.argv[1] ?? 'test')}-${process.pid}`
  const script = 'ip link set lo up 2>/dev/null || busybox ip link set lo up; exec "$@"'
  const node = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn('unshare', ['-m', '-n', '--propagation', 'private', 'sh', '-c', script, 'sandbox', ...node], {
    stdio: 'inherit',
    env: { ...process.env, [sandboxVariable]: name },
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  const leaks = await leaksSince(before, name)
  for (const leak of leaks) console.error(`${process.argv[1]}: left behind: ${leak}`)
  if (signal) console.error(`${process.argv[1]}: ended by ${signal}`)
  return leaks.length > 0 ? 1 : (code ?? 1)
}
