import { conflict } from '@berth/base'
import { type Duplex, PassThrough } from 'node:stream'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { AttachedStream, AttachQuery } from './containers.ts'
import type { Context } from './context.ts'
import { DetachScanner, parseDetachKeys } from './detach-keys.ts'
import { openLogs } from './logs.ts'
import { type ProxyOptions, ProxyStream } from './proxy-stream.ts'
import { isAlive } from './stop.ts'

/** A client's stream to the container, which may not have started yet. */
export async function attachContainer(context: Context, ref: string, query: AttachQuery): Promise<AttachedStream> {
  const container = context.registry.resolve(ref)
  const detachKeys = parseDetachKeys(query.detachKeys)
  requireAttachable(container, ref)
  const tty = container.config.Tty
  const live = query.stream ? await openLive(context, container, query, detachKeys) : undefined
  announce(context, container, 'attach')
  if (!query.logs) return { stream: live ?? emptyStream(), tty }
  const past = openLogs(context, container, { ...query, timestamps: false, details: false }, undefined)
  return { stream: new ProxyStream(live ?? emptyStream(), { first: past.chunks }), tty }
}

/** `ref` is what the client calls the container. */
function requireAttachable({ state }: Container, ref: string): void {
  if (state.status === 'paused') {
    throw conflict(`container ${ref} is paused, unpause the container before attach`)
  }
  if (state.status === 'restarting') {
    throw conflict(`container ${ref} is restarting, wait until the container is running`)
  }
}

async function openLive(context: Context, container: Container, query: AttachQuery, keys: Buffer): Promise<Duplex> {
  const stdin = query.stdin && container.config.OpenStdin
  const hasOutput = query.stdout || query.stderr
  if (!stdin && !hasOutput) return emptyStream()
  const options = { stdin, stdout: query.stdout, stderr: query.stderr }
  const remote = await context.runtime.attach({ containerId: container.id }, options)
  if (hasOutput) context.outputs.follow(container.id, remote)
  // Who only gives input has nothing to wait for after it, once there is a process to take it.
  const leave = () => {
    const current = context.registry.byId(container.id)
    if (current && isAlive(current)) remote.destroy()
  }
  if (!hasOutput) remote.once('finish', leave)
  if (!stdin || !container.config.Tty) return remote
  return detachable(remote, keys, () => announce(context, container, 'detach'))
}

/** `remote` whose input ends the stream when it holds the detach sequence. */
export function detachable(
  remote: Duplex,
  keys: Buffer,
  onDetach: () => void,
  options: ProxyOptions = {},
): ProxyStream {
  const scanner = new DetachScanner(keys)
  const filterInput = (chunk: Buffer) => {
    const { forward, detached } = scanner.scan(chunk)
    if (detached) onDetach()
    return { forward, ends: detached }
  }
  return new ProxyStream(remote, { ...options, filterInput })
}

/** A stream that has nothing to say and takes nothing. */
function emptyStream(): Duplex {
  return new PassThrough().end()
}
