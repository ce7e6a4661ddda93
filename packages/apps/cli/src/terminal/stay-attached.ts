import { setTimeout as sleep } from 'node:timers/promises'
import { type ContainersClient, isStatus, type PendingWait } from '@berth/engine-client'
import type { Cli } from '../cli.ts'
import { StatusError } from '../errors.ts'
import { exitCodeOf } from './wait-exit.ts'
import { joinStreams, type SessionEnd, type SessionOptions } from './stream-session.ts'

export interface AttachedContainer {
  readonly id: string
  readonly options: SessionOptions
  readonly session: Promise<SessionEnd>
  readonly wait: PendingWait
}

type Attachment = Pick<AttachedContainer, 'session' | 'wait'>

/** How long an engine that went away may take to come back. */
const patienceMs = 30_000
const retryMs = 200

/**
 * Resolves with the container's exit code, or `detached`. Containers outlive their engine: when that goes away, waits for
 * it to come back and attaches again.
 */
export async function stayAttached(
  cli: Cli,
  { id, options, ...first }: AttachedContainer,
): Promise<number | 'detached'> {
  let attachment: Attachment = first
  for (;;) {
    // A session that broke is looked into by way of the wait.
    const end = await attachment.session.catch((): SessionEnd => 'closed')
    if (end === 'detached') return 'detached'
    const { wait } = attachment
    const isBroken = await wait.result.then(
      () => false,
      () => true,
    )
    if (!isBroken) return exitCodeOf(cli, wait)
    const next = await attachAgain(cli, id, options)
    if (typeof next === 'number') return next
    attachment = next
  }
}

/** The exit code of a container that has ended meanwhile. */
async function attachAgain(cli: Cli, id: string, options: SessionOptions): Promise<Attachment | number> {
  cli.err('\nThe connection to the engine broke: waiting for it to come back\n')
  const { containers } = cli.engine
  const { State, HostConfig } = await inspectSoon(containers, id)
  if (!State.Running) return State.ExitCode
  const stdin = options.stdin && !process.stdin.readableEnded
  const { stdout, stderr, detachKeys } = options
  const query = { stdin, stdout, stderr, detachKeys: detachKeys === '' ? undefined : detachKeys }
  const [connection, wait] = await Promise.all([
    containers.attach(id, query),
    containers.wait(id, HostConfig.AutoRemove ? 'removed' : 'not-running'),
  ])
  cli.err(`Attached again. What was printed meanwhile is in: berth logs ${id.slice(0, 12)}\n`)
  return { session: joinStreams(cli, connection, { ...options, stdin }), wait }
}

async function inspectSoon(containers: ContainersClient, id: string): ReturnType<ContainersClient['inspect']> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return await containers.inspect(id)
    } catch (error) {
      if (isStatus(error, 404)) throw new StatusError(125, 'The container is gone: how it ended is not known')
      if (performance.now() > deadline) throw error
    }
    await sleep(retryMs)
  }
}
