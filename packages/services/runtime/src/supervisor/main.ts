import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { messageOf } from '@berth/base'
import { lockFile, Reaper } from '@berth/linux'
import type { Request } from '../protocol/messages.ts'
import { defaultOutletLimits } from '../stdio/outlet.ts'
import { DescriptorServer } from './descriptor-server.ts'
import { logLine } from './log.ts'
import { ControlServer } from './server.ts'
import { Supervisor } from './supervisor.ts'

/**
 * The supervisor's program: `supervisor --run-root DIR [--build TEXT] [--stall-ms N]`. Ends with status 3 when another one
 * serves that run root.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { 'run-root': { type: 'string' }, build: { type: 'string' }, 'stall-ms': { type: 'string' } },
  })
  const runRoot = values['run-root']
  if (!runRoot?.startsWith('/')) throw new Error('--run-root wants an absolute path')
  mkdirSync(runRoot, { recursive: true, mode: 0o700 })
  await claim(runRoot)
  const stallMs = Number(values['stall-ms'] ?? defaultOutletLimits.stallMs)
  const limits = {
    ...defaultOutletLimits,
    stallMs,
    sharedStallMs: Math.min(stallMs, defaultOutletLimits.sharedStallMs),
  }
  const path = `${runRoot}/supervisor.sock`
  const server = new ControlServer({
    path,
    build: values.build ?? 'unknown',
    onLeave: (request) => leave(request, path),
  })
  const announce = server.announce.bind(server)
  new DescriptorServer().listen(`${runRoot}/descriptors.sock`)
  await server.listen(new Supervisor({ runRoot, reaper: new Reaper(), announce, limits }))
  logLine('info', { pid: process.pid, runRoot, build: values.build }, 'supervisor is ready')
}

let lock: Disposable | undefined

/** A predecessor that was told to end is gone within that time. */
const claimMs = 1000

/** Held until the process ends. */
async function claim(runRoot: string): Promise<void> {
  const deadline = performance.now() + claimMs
  for (;;) {
    try {
      lock = lockFile(`${runRoot}/supervisor.lock`)
      return
    } catch (error) {
      if (performance.now() < deadline) await delay(10)
      else {
        logLine('warn', { runRoot, error: messageOf(error) }, 'another supervisor serves this run root')
        process.exit(3)
      }
    }
  }
}

function leave(request: Extract<Request, { op: 'replace' | 'shutdown' }>, socketPath: string): void {
  if (request.op === 'shutdown') {
    rmSync(socketPath, { force: true })
    process.exit(0)
  }
  lock?.[Symbol.dispose]()
  // execve(2) would end the process when the program is missing.
  if (existsSync(request.program)) process.execve?.(request.program, [request.program, ...request.args])
  logLine('error', { program: request.program }, 'supervisor cannot be replaced')
  process.exit(1)
}

// All containers hang on this process: a bug in the service of one must not end the others.
process.on('uncaughtException', (error) => logLine('error', { error: error.stack }, 'uncaught exception'))
process.on('unhandledRejection', (error) => logLine('error', { error: String(error) }, 'unhandled rejection'))
// Ended by request only: a service manager that stops berthd, or a terminal that goes away, must not take containers along.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

main().catch((error: unknown) => {
  logLine('error', { error: messageOf(error) }, 'supervisor does not start')
  process.exit(1)
})
