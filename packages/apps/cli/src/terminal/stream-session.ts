import { Demultiplexer, type HijackedConnection } from '@berth/engine-client'
import type { Cli } from '../cli.ts'
import { defaultDetachKeys, DetachScanner, parseDetachKeys } from './detach-keys.ts'
import { enterRawMode } from './terminal.ts'

export interface SessionOptions {
  /** The remote side has a terminal: one raw stream, and our terminal goes raw too. */
  readonly tty: boolean
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** Empty for the default. */
  readonly detachKeys: string
}

export type SessionEnd = 'closed' | 'detached'

/** Joins our standard streams to a hijacked connection until the engine closes it or the user detaches. */
export async function joinStreams(
  cli: Cli,
  connection: HijackedConnection,
  options: SessionOptions,
): Promise<SessionEnd> {
  using _raw = options.tty && options.stdin ? enterRawMode() : undefined
  using input = options.stdin ? sendInput(connection, options) : undefined
  const closed = receiveOutput(cli, connection, options).then((): SessionEnd => 'closed')
  try {
    return await Promise.race(input === undefined ? [closed] : [closed, input.detached])
  } finally {
    connection.destroy()
  }
}

async function receiveOutput(cli: Cli, connection: HijackedConnection, options: SessionOptions): Promise<void> {
  const demultiplexer = options.tty ? undefined : new Demultiplexer()
  for (let chunk = await connection.read(); chunk !== undefined; chunk = await connection.read()) {
    if (demultiplexer === undefined) cli.out(chunk)
    else for (const { stream, data } of demultiplexer.push(chunk)) (stream === 'stderr' ? cli.err : cli.out)(data)
  }
}

interface Input extends Disposable {
  /** Resolves when the keys to detach were typed, else never. */
  readonly detached: Promise<SessionEnd>
}

/** Sends what is typed until it is disposed. */
function sendInput(connection: HijackedConnection, { tty, detachKeys }: SessionOptions): Input {
  const { promise, resolve } = Promise.withResolvers<SessionEnd>()
  const keys = parseDetachKeys(detachKeys === '' ? defaultDetachKeys : detachKeys)
  const scanner = tty ? new DetachScanner(keys) : undefined
  const { stdin } = process
  const send = (chunk: Buffer): void => {
    const { data, detached } = scanner?.push(chunk) ?? { data: chunk, detached: false }
    if (detached) return resolve('detached')
    stdin.pause()
    // A connection that breaks ends the session by its other side.
    connection.write(data).then(
      () => void stdin.resume(),
      () => undefined,
    )
  }
  const close = (): void => connection.closeWrite()
  stdin.on('data', send).on('end', close).on('error', close)
  stdin.resume()
  return {
    detached: promise,
    [Symbol.dispose]() {
      stdin.off('data', send).off('end', close).off('error', close)
      stdin.pause()
    },
  }
}
