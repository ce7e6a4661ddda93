import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, conflict, internal, isKind, messageOf } from '@berth/base'
import { protocolVersion } from '../protocol/messages.ts'
import { ControlLink, type ControlLinkOptions } from './control-link.ts'

/** How the supervisor is run. */
export interface SupervisorProgram {
  /** Absolute path of the supervisor's script: `dist/supervisor.cjs`, or its `main.ts`. */
  readonly script: string
  /** Default: the Node that runs this. */
  readonly node?: string
  /** Further arguments of the supervisor, for tests. */
  readonly args?: readonly string[]
}

export interface SupervisorOptions {
  readonly runRoot: string
  readonly program: SupervisorProgram
}

const nodeFlags = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning']

/**
 * One malloc arena saves the supervisor a tenth of its memory. Pool threads write logs and compress them: so many disks
 * may stall before all logs do.
 */
const settings = { MALLOC_ARENA_MAX: '1', UV_THREADPOOL_SIZE: '8' }

const readyMs = 15_000

/**
 * A link to the run root's supervisor: the one that lives, replaced when it runs another program and has no container,
 * or a new one. Rejects with `internal` when none can be started.
 */
export async function linkSupervisor(
  options: SupervisorOptions,
  callbacks: Omit<ControlLinkOptions, 'path'>,
): Promise<ControlLink> {
  const linkOptions = { path: supervisorSocket(options.runRoot), ...callbacks }
  const build = buildOf(options.program)
  const living = await openIfThere({ ...linkOptions, onClose() {} })
  if (!living) return await untilReady(options.runRoot, linkOptions, startSupervisor(options, build))
  if (living.welcome.build !== build && (await replace(living, options, build))) {
    return await untilReady(options.runRoot, linkOptions)
  }
  living[Symbol.dispose]()
  return checked(await ControlLink.open(linkOptions))
}

/** Newer supervisors may speak another protocol; older ones' is kept as long as one may be running. */
function checked(link: ControlLink): ControlLink {
  const { protocol } = link.welcome
  if (protocol === protocolVersion) return link
  link[Symbol.dispose]()
  throw conflict(`containers run under a supervisor of protocol ${protocol}, not ${protocolVersion}`)
}

export const supervisorSocket = (runRoot: string): string => `${runRoot}/supervisor.sock`

/** Makes the living supervisor become the wanted program; false when it must not, since it has containers. */
async function replace(link: ControlLink, options: SupervisorOptions, build: string): Promise<boolean> {
  using living = link
  const [program, ...args] = commandLine(options, build)
  try {
    await living.request({ op: 'replace', program, args })
    return true
  } catch (error) {
    if (isKind(error, 'conflict')) return false
    throw error
  }
}

function commandLine({ runRoot, program }: SupervisorOptions, build: string): [string, ...string[]] {
  const { node = process.execPath, script, args = [] } = program
  return [node, ...nodeFlags, script, '--run-root', runRoot, '--build', build, ...args]
}

/** Undefined where no supervisor serves. */
export async function openIfThere(options: ControlLinkOptions): Promise<ControlLink | undefined> {
  try {
    return await ControlLink.open(options)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return undefined
    // It left while we shook hands.
    if (isKind(error, 'unavailable')) return undefined
    throw error
  }
}

/** Which program: another file, or the same one changed, is another build. */
function buildOf({ script }: SupervisorProgram): string {
  const { mtimeMs, size } = statSync(script)
  return `${script}@${Math.round(mtimeMs)}.${size}`
}

interface Child {
  readonly exited: Promise<never>
}

/** Detached, in a session of its own, so that it outlives this process; its log is `supervisor.log`. */
function startSupervisor(options: SupervisorOptions, build: string): Child {
  const { runRoot } = options
  mkdirSync(runRoot, { recursive: true, mode: 0o700 })
  const log = openSync(`${runRoot}/supervisor.log`, 'a', 0o600)
  const [program, ...args] = commandLine(options, build)
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'], ...settings },
  })
  closeSync(log)
  child.unref()
  const { promise, reject } = Promise.withResolvers<never>()
  child.once('error', reject)
  child.once('exit', (code, signal) => reject(new Error(`it ended with ${signal ?? `status ${code}`}`)))
  promise.catch(() => {})
  return { exited: promise }
}

/** Connects once the supervisor listens, whoever started it. */
async function untilReady(runRoot: string, options: ControlLinkOptions, child?: Child): Promise<ControlLink> {
  const deadline = performance.now() + readyMs
  for (;;) {
    const link = await openIfThere(options)
    if (link) return checked(link)
    try {
      await Promise.race([delay(5), ...(child ? [child.exited] : [])])
    } catch (error) {
      const last = await openIfThere(options)
      if (last) return checked(last)
      throw internal(`the supervisor does not start (see ${runRoot}/supervisor.log): ${messageOf(error)}`, error)
    }
    if (performance.now() > deadline) throw internal(`the supervisor is not ready after ${readyMs} ms`)
  }
}
