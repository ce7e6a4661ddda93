import { conflict, type ExecId, invalid, isKind, messageOf, newExecId } from '@berth/base'
import { encodeFrame } from '@berth/engine-api'
import type { ConsoleSize, ExecRequest, ProcessIo, StartedProcess } from '@berth/runtime'
import { type Duplex, PassThrough } from 'node:stream'
import { announce } from './announce.ts'
import { detachable } from './attach.ts'
import type { Container, Exec, ExecConfig } from './container.ts'
import type { AttachedStream } from './containers.ts'
import type { Context } from './context.ts'
import { parseEscapeKeys } from './detach-keys.ts'
import { buildExecProcess, resolveExecUser, targetOfExec } from './exec-process.ts'
import type { ExecEntry } from './exec-registry.ts'
import { ProxyStream } from './proxy-stream.ts'
import { startedIfStarting } from './started-if-starting.ts'
import { requireActive, requireRunning } from './transitions.ts'

export interface StartExecOptions {
  readonly detach: boolean
  readonly tty: boolean
  readonly consoleSize?: ConsoleSize
}

export async function createExec(context: Context, ref: string, config: ExecConfig): Promise<ExecId> {
  const container = requireActive(await startedIfStarting(context, ref), ref)
  if (config.cmd.length === 0) throw invalid('No exec command specified')
  const keys = parseEscapeKeys(config.detachKeys)
  if (config.user) resolveExecUser(container, config)
  const id = newExecId()
  context.execs.insert({
    id,
    containerId: container.id,
    running: false,
    exitCode: null,
    pid: 0,
    ...(config.detachKeys && { escapeKeys: keys.toString('base64') }),
    config,
  })
  context.registry.setExecs(container.id, context.execs.liveOf(container.id))
  announce(context, container, `exec_create: ${commandText(config)}`, { execID: id })
  context.runtime.prepareExec({
    execId: id,
    ...targetOfExec(container),
    io: planIo(config, config.consoleSize),
  })
  return id
}

/**
 * Starts an exec. With a stream, resolves before the process runs: a client must see the head of its connection first,
 * and a failure to run is told in the stream.
 */
export async function startExec(
  context: Context,
  ref: string,
  options: StartExecOptions,
): Promise<AttachedStream | undefined> {
  const exec = context.execs.resolve(ref)
  requireUnstarted(exec)
  const container = requireActive(context.registry.resolve(exec.containerId), exec.containerId)
  context.execs.claim(exec.id)
  announce(context, container, `exec_start: ${commandText(exec.config)}`, { execID: exec.id })
  if (options.detach) {
    await run(context, { container, exec, options })
    return undefined
  }
  const { remote, running } = await runAttached(context, { container, exec, options })
  const first = failureOf(running, remote, options.tty)
  return { stream: execStream(context, container, exec, { remote, first }), tty: options.tty }
}

/** Nothing when it runs; else why not, and the end of the stream. */
async function* failureOf(running: Promise<void>, remote: Duplex, tty: boolean): AsyncGenerator<Buffer> {
  try {
    await running
  } catch (error) {
    const text = `${messageOf(error)}\r\n`
    yield tty ? Buffer.from(text) : encodeFrame(1, text)
    remote.destroy()
  }
}

export async function resizeExec(context: Context, ref: string, size: ConsoleSize): Promise<void> {
  const exec = context.execs.resolve(ref)
  requireRunning(context.registry.resolve(exec.containerId))
  if (!exec.running) throw conflict(`exec process ${exec.id} is not running`)
  await context.runtime.resize({ containerId: exec.containerId, execId: exec.id }, size)
}

function requireUnstarted({ id, running, exitCode, isClaimed }: ExecEntry): void {
  if (exitCode !== null) throw conflict(`exec command ${id} has already run`)
  if (running || isClaimed) throw conflict(`exec command ${id} is already running`)
}

/** Ends when the exit code is known, or when the client detaches. */
function execStream(
  context: Context,
  container: Container,
  { id, config }: Exec,
  { remote, first }: { readonly remote: Duplex; readonly first: AsyncIterable<Buffer> },
): Duplex {
  let hasDetached = false
  const beforeEnd = async () => {
    if (!hasDetached) await context.execs.whenEnded(id)
  }
  if (!config.attachStdin || !config.tty) return new ProxyStream(remote, { first, beforeEnd })
  const onDetach = () => {
    hasDetached = true
    announce(context, container, 'exec_detach', { execID: id })
  }
  return detachable(remote, parseEscapeKeys(config.detachKeys), onDetach, { first, beforeEnd })
}

interface Run {
  readonly container: Container
  readonly exec: Exec
  readonly options: StartExecOptions
}

async function run(context: Context, given: Run): Promise<void> {
  await recorded(context, given.exec.id, context.runtime.exec(await requestOf(context, given)))
}

/** Rejects when nothing can be attached; any other failure is `running`'s, which the client hears of in its stream. */
async function runAttached(context: Context, given: Run): Promise<{ remote: Duplex; running: Promise<void> }> {
  const { id, config } = given.exec
  const { attachStdin: stdin, attachStdout: stdout, attachStderr: stderr } = config
  const request = await requestOf(context, given).catch((error: Error) => error)
  if (request instanceof Error) return { remote: new PassThrough(), running: heard(Promise.reject(request)) }
  const attaching = context.runtime.execAttached(request, { stdin, stdout, stderr })
  const running = heard(
    recorded(
      context,
      id,
      attaching.then(({ started }) => started),
    ),
  )
  return { remote: (await attaching).stream, running }
}

/** A promise that somebody will await later; until then its rejection is nobody's fault. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

async function requestOf(context: Context, { container, exec, options }: Run): Promise<ExecRequest> {
  const { config, id } = exec
  try {
    const process = await buildExecProcess(context, container, config)
    const io = planIo(config, options.consoleSize ?? config.consoleSize)
    return { ...targetOfExec(container), execId: id, process, io }
  } catch (error) {
    const isRelative = /must be an absolute path/.test(messageOf(error))
    context.execs.ended(id, isRelative ? 128 : isKind(error, 'invalid') ? 126 : 255)
    throw error
  }
}

/** Writes down what became of a start. */
async function recorded(context: Context, id: ExecId, starting: Promise<StartedProcess>): Promise<void> {
  try {
    const { pid } = await starting
    context.execs.started(id, pid)
  } catch (error) {
    context.execs.ended(id, exitCodeOfFailure(messageOf(error)))
    throw error
  }
}

function planIo(config: ExecConfig, consoleSize: ConsoleSize | undefined): ProcessIo {
  return { tty: config.tty, openStdin: config.attachStdin, stdinOnce: true, ...(consoleSize ? { consoleSize } : {}) }
}

/** As events show it: the program, a space, its arguments. */
export const commandText = ({ cmd: [program = '', ...args] }: ExecConfig): string => `${program} ${args.join(' ')}`

/** 127: no such program, 126: it cannot be run, as shells have it. */
function exitCodeOfFailure(message: string): number {
  return /not found|no such file/i.test(message) ? 127 : 126
}
