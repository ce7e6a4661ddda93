import { chmodSync, closeSync, rmSync } from 'node:fs'
import { messageOf } from '@berth/base'
import {
  acceptSocket,
  type DescriptorPacket,
  listenDescriptors,
  type Poll,
  pollFd,
  receiveDescriptors,
  sendDescriptors,
  waitWritable,
} from '@berth/linux'
import { decodeDescriptorRequest, encodeDescriptorMessage } from '../protocol/descriptors.ts'
import { warn } from './log.ts'

/**
 * Keeps sockets for berthd while it is being replaced: what is sent to them meanwhile waits in the kernel. It knows their
 * names and nothing else of them.
 */
export class DescriptorServer {
  readonly #kept = new Map<string, number>()

  /** Serves; a socket file that a dead supervisor left is replaced. */
  listen(path: string): void {
    rmSync(path, { force: true })
    const listener = listenDescriptors(path)
    chmodSync(path, 0o600)
    pollFd(listener, { readable: true }, () => {
      const connection = acceptSocket(listener)
      if (connection !== undefined) this.#serve(connection)
    })
  }

  #serve(connection: number): void {
    const poll: Poll = pollFd(connection, { readable: true }, () => {
      try {
        if (this.#receiveAll(connection)) return
      } catch (error) {
        warn({ error: messageOf(error) }, 'a connection for descriptors is closed')
      }
      poll.close()
      closeSync(connection)
    })
  }

  /** Does what has been asked so far; false: the peer has left. */
  #receiveAll(connection: number): boolean {
    for (;;) {
      const packet = receiveDescriptors(connection)
      if (packet === undefined) return true
      if (packet === 'end') return false
      this.#handle(connection, packet)
    }
  }

  #handle(connection: number, { data, fds }: DescriptorPacket): void {
    const [fd] = fds
    const request = decodeDescriptorRequest(data)
    if (request?.op === 'put' && fd !== undefined && fds.length === 1) return this.#keep(request.name, fd)
    for (const stray of fds) closeSync(stray)
    if (request?.op === 'drop') return this.#drop(request.name)
    if (request?.op !== 'list') throw new Error('it does not speak the protocol')
    // Owned by the connection: ends when its peer has left.
    this.#sendAll(connection).catch((error: unknown) => warn({ error: messageOf(error) }, 'descriptors are not sent'))
  }

  #keep(name: string, fd: number): void {
    this.#drop(name)
    this.#kept.set(name, fd)
  }

  #drop(name: string): void {
    const fd = this.#kept.get(name)
    this.#kept.delete(name)
    if (fd !== undefined) closeSync(fd)
  }

  async #sendAll(connection: number): Promise<void> {
    for (const [name, fd] of this.#kept) {
      while (this.#kept.get(name) === fd && !sendDescriptors(connection, encodeDescriptorMessage({ name }), [fd])) {
        await waitWritable(connection)
      }
    }
    while (!sendDescriptors(connection, encodeDescriptorMessage({ end: true }), [])) await waitWritable(connection)
  }
}
