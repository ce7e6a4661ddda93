import { closeSync } from 'node:fs'
import {
  connectSocket,
  endConnection,
  endWriting,
  isConnected,
  openPipe,
  readableBytes,
  resetConnection,
  sendAtOnce,
  type SocketAddress,
  splice,
} from '@berth/linux'

/** Moved in one turn of the loop, in each direction. */
const movesPerTurn = 16
const bytesPerMove = 262_144

/** What a connection through the relay consists of; each outlives this process when a copy of it is kept. */
export const partNames = ['client', 'server', 'up', 'down'] as const
/** Descriptors: of two sockets, and of a pipe for each direction, to the server and from it. */
export type Parts = Readonly<Record<(typeof partNames)[number], number>>

export type Progress = 'waits' | 'more' | 'over'

interface Direction {
  readonly from: number
  readonly to: number
  readonly pipe: number
  /** Taken from `from`, not yet given to `to`. */
  pendingBytes: number
  isOver: boolean
}

/**
 * A client's connection and the one that is made to a container for it. The kernel moves the bytes: those on their way are in
 * a pipe, none is ever in this process alone. So whoever gets the parts after a death of this process, goes on where it was.
 */
export class CarriedConnection implements Disposable {
  readonly parts: Parts
  readonly #directions: readonly Direction[]
  #isConnected = false

  constructor(parts: Parts) {
    const { client, server, up, down } = parts
    this.parts = parts
    this.#directions = [
      { from: client, to: server, pipe: up, pendingBytes: readableBytes(up), isOver: false },
      { from: server, to: client, pipe: down, pendingBytes: readableBytes(down), isOver: false },
    ]
  }

  /** Moves what can be moved. Throws when an end has failed. */
  advance(): Progress {
    // Ending a connection that is being made would take it back.
    this.#isConnected ||= isConnected(this.parts.server)
    if (!this.#isConnected) return 'waits'
    const progress = this.#directions.map(move)
    if (progress.includes('more')) return 'more'
    return progress.includes('waits') ? 'waits' : 'over'
  }

  /** Tells both ends that it has failed. */
  reset(): void {
    resetConnection(this.parts.client)
    resetConnection(this.parts.server)
  }

  /** Ends it without ado. */
  end(): void {
    endConnection(this.parts.client)
    endConnection(this.parts.server)
  }

  /** Closes this process's descriptors. */
  [Symbol.dispose](): void {
    for (const name of partNames) closeSync(this.parts[name])
  }
}

function move(direction: Direction): Progress {
  const { from, to, pipe } = direction
  for (let count = 0; count < movesPerTurn && !direction.isOver; count++) {
    if (direction.pendingBytes === 0) {
      const taken = splice(from, pipe, bytesPerMove)
      if (taken === undefined) return 'waits'
      direction.pendingBytes = taken
      direction.isOver = taken === 0
      if (direction.isOver) endWriting(to)
    }
    const given = direction.isOver ? 0 : splice(pipe, to, direction.pendingBytes)
    if (given === undefined) return 'waits'
    direction.pendingBytes -= given
  }
  return direction.isOver ? 'over' : 'more'
}

/** Connects to `target` for the client of an accepted connection, which stays the caller's when this throws. */
export function openParts(client: number, target: SocketAddress): Parts {
  const opened: number[] = []
  const own = (fd: number): number => {
    opened.push(fd)
    return fd
  }
  try {
    const parts = {
      client,
      server: own(connectSocket('tcp', target)),
      up: own(openPipe(bytesPerMove)),
      down: own(openPipe(bytesPerMove)),
    }
    sendAtOnce(parts.client)
    sendAtOnce(parts.server)
    return parts
  } catch (error) {
    for (const fd of opened) closeSync(fd)
    throw error
  }
}
