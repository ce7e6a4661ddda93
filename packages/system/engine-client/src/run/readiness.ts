import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningContainer } from './running-container.ts'
import type { Readiness } from './run-options.ts'

/** A container ended, or took too long, before it was ready. `output` has its last lines. */
export class ReadinessError extends Error {
  readonly containerId: string
  readonly output: string

  constructor(message: string, { containerId, output }: { containerId: string; output: string }) {
    super(output === '' ? message : `${message}; its last output:\n${output}`)
    this.name = 'ReadinessError'
    this.containerId = containerId
    this.output = output
  }
}

const usualTimeoutMs = 60_000
const pollMs = 50
/** A relay takes a connection that nobody serves, and drops it at once. */
const settleMs = 100
const lastLines = 20

/** Resolves once the container is ready; rejects with `ReadinessError`, or with the signal's reason. */
export async function waitUntilReady(
  container: RunningContainer,
  { port, log, healthy, timeoutMs = usualTimeoutMs }: Readiness,
  signal?: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  const timeout = AbortSignal.timeout(timeoutMs)
  const any = AbortSignal.any([stop.signal, timeout, ...(signal === undefined ? [] : [signal])])
  const checks = [
    ...(port === undefined ? [] : [portOpens(container, port, any)]),
    ...(log === undefined ? [] : [logMatches(container, log, any)]),
    ...(healthy === true ? [turnsHealthy(container, any)] : []),
  ]
  try {
    await Promise.race([Promise.all(checks), ends(container, any)])
  } catch (error) {
    signal?.throwIfAborted()
    const output = await lastOutput(container)
    const reason = timeout.aborted ? `was not ready after ${timeoutMs} ms` : messageOf(error)
    throw new ReadinessError(`container ${container.name} ${reason}`, { containerId: container.id, output })
  } finally {
    stop.abort()
    await Promise.allSettled(checks)
  }
}

async function portOpens(container: RunningContainer, port: number, signal: AbortSignal): Promise<void> {
  const { host, port: published } = await container.port(port)
  while (!(await accepts(host, published))) await sleep(pollMs, undefined, { signal })
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (answer: boolean): void => {
      clearTimeout(settled)
      socket.destroy()
      resolve(answer)
    }
    let settled: NodeJS.Timeout | undefined
    socket.once('connect', () => (settled = setTimeout(() => finish(true), settleMs)))
    socket.once('data', () => finish(true))
    socket.once('error', () => finish(false))
    socket.once('close', () => finish(false))
  })
}

async function logMatches(container: RunningContainer, wanted: RegExp, signal: AbortSignal): Promise<void> {
  for await (const { text } of container.logs({ follow: true, signal })) if (wanted.test(text)) return
  throw new Error('ended before it printed what was waited for')
}

async function turnsHealthy(container: RunningContainer, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { State } = await container.inspect(signal)
    if (State.Health === undefined) throw new Error('has no health check')
    if (State.Health.Status === 'healthy') return
    await sleep(pollMs, undefined, { signal })
  }
}

async function ends(container: RunningContainer, signal: AbortSignal): Promise<never> {
  const exitCode = await container.wait(signal)
  throw new Error(`ended with exit code ${exitCode} before it was ready`)
}

async function lastOutput(container: RunningContainer): Promise<string> {
  const lines: string[] = []
  try {
    for await (const { text } of container.logs({ tail: lastLines })) lines.push(text)
  } catch {
    // A container that is gone has no output.
  }
  return lines.join('\n')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
