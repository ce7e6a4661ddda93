import { closeSync, constants, openSync, readdirSync } from 'node:fs'
import { check, declareFunctions, koffi } from '../libc.ts'

const c = declareFunctions<{
  pipe2(fds: Int32Array, flags: number): number
  fcntl(fd: number, command: number, argument: number): number
  eventfd(initial: number, flags: number): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
}>({
  pipe2: 'int pipe2(void *fds, int flags)',
  fcntl: 'int fcntl(int fd, int command, long argument)',
  eventfd: 'int eventfd(uint initial, int flags)',
  ioctl: 'int ioctl(int fd, ulong request, void *argument)',
})

const O_CLOEXEC = 0o2000000
const O_NONBLOCK = 0o4000
const F_GETFD = 1
const F_SETFD = 2
const FD_CLOEXEC = 1
const F_GETFL = 3
const F_SETFL = 4
const FIONREAD = 0x541b
const F_SETPIPE_SZ = 1031
const F_DUPFD_CLOEXEC = 1030

/** A pipe whose ends are closed on exec: [read end, write end]. `sizeBytes` asks for another buffer than the kernel's 64 KiB. */
export function pipe(sizeBytes?: number): [read: number, write: number] {
  const fds = new Int32Array(2)
  check(c.pipe2(fds, O_CLOEXEC), 'pipe2')
  const [read, write] = fds as unknown as [number, number]
  if (sizeBytes !== undefined) c.fcntl(read, F_SETPIPE_SZ, sizeBytes)
  return [read, write]
}

/** A pipe by one non-blocking descriptor, for reading and writing: it keeps what is in it for as long as a copy is open. */
export function openPipe(sizeBytes?: number): number {
  const ends = pipe(sizeBytes)
  try {
    return openSync(`/proc/self/fd/${ends[0]}`, constants.O_RDWR | constants.O_NONBLOCK)
  } finally {
    for (const end of ends) closeSync(end)
  }
}

/** How many bytes wait to be read. */
export function readableBytes(fd: number): number {
  const count = Buffer.alloc(4)
  check(c.ioctl(fd, FIONREAD, count), 'ioctl FIONREAD')
  return count.readInt32LE()
}

export function setNonBlocking(fd: number, nonBlocking = true): void {
  const flags = check(c.fcntl(fd, F_GETFL, 0), 'fcntl')
  check(c.fcntl(fd, F_SETFL, nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK), 'fcntl')
}

/** A copy of `fd` numbered `atLeast` or higher, closed on exec. */
export function duplicate(fd: number, atLeast = 3): number {
  return check(c.fcntl(fd, F_DUPFD_CLOEXEC, atLeast), 'fcntl')
}

/** Marks every descriptor but the three streams as closed on exec: what this process was started with, its children need not have. */
export function closeOnExec(): void {
  for (const fd of readdirSync('/proc/self/fd').map(Number)) {
    const flags = fd > 2 ? c.fcntl(fd, F_GETFD, 0) : -1
    // -1: the listing's own, closed by now.
    if (flags >= 0) check(c.fcntl(fd, F_SETFD, flags | FD_CLOEXEC), 'fcntl')
  }
}

/** Has `fd` stay open on exec: the program that this one is about to become needs it. */
export function keepOnExec(fd: number): void {
  check(c.fcntl(fd, F_SETFD, check(c.fcntl(fd, F_GETFD, 0), 'fcntl') & ~FD_CLOEXEC), 'fcntl')
}

/** A non-blocking eventfd(2), closed on exec. */
export function eventfd(initial = 0): number {
  return check(c.eventfd(initial, O_CLOEXEC | O_NONBLOCK), 'eventfd')
}

export interface PollEvents {
  readonly readable?: boolean
  readonly writable?: boolean
}

/** A watched descriptor; close it before the descriptor is closed. */
export interface Poll extends Disposable {
  close(): void
  ref(): void
  unref(): void
}

/**
 * Calls `ready` whenever `fd` is ready (level-triggered), in a callback of the event loop of its own. For what
 * node's streams do not take: pty masters, eventfds, pidfds, listening sockets.
 */
export function pollFd(fd: number, events: PollEvents, ready: () => void): Poll {
  let open = true
  // koffi calls back outside of Node's callback scope, where promises would not run: hence setImmediate.
  const handle = koffi().node.poll(fd, { ...events }, () => {
    if (open) setImmediate(() => open && ready())
  })
  const close = () => {
    if (open) handle.close()
    open = false
  }
  return { close, ref: () => handle.ref(), unref: () => handle.unref(), [Symbol.dispose]: close }
}

/** Resolves once `fd` is readable (or at its end). */
export const waitReadable = (fd: number, signal?: AbortSignal): Promise<void> => waitFor(fd, { readable: true }, signal)

/** Resolves once `fd` can be written to (or its peer is gone). */
export async function waitWritable(fd: number, signal?: AbortSignal): Promise<void> {
  // The loop takes a number once, and this one may be watched for reading.
  const copy = duplicate(fd)
  try {
    await waitFor(copy, { writable: true }, signal)
  } finally {
    closeSync(copy)
  }
}

function waitFor(fd: number, events: PollEvents, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  signal?.throwIfAborted()
  const poll = pollFd(fd, events, () => {
    finish()
    resolve()
  })
  const abort = () => {
    finish()
    reject(signal?.reason)
  }
  const finish = () => {
    poll.close()
    signal?.removeEventListener('abort', abort)
  }
  signal?.addEventListener('abort', abort, { once: true })
  return promise
}
