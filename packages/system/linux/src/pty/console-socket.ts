import { closeSync, unlinkSync } from 'node:fs'
import { codeOf } from '@berth/base'
import { addressOf, check, declareFunctions, EINVAL } from '../libc.ts'
import { LinuxError } from '../error.ts'
import { waitReadable } from '../process/descriptors.ts'

const c = declareFunctions<{
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  listen(fd: number, backlog: number): number
  accept4(fd: number, address: null, length: null, flags: number): number
  recvmsg(fd: number, message: Uint8Array, flags: number): number
  ioctl(fd: number, request: number, argument: Uint8Array): number
}>({
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, void *address, uint length)',
  listen: 'int listen(int fd, int backlog)',
  accept4: 'int accept4(int fd, void *address, void *length, int flags)',
  recvmsg: 'long recvmsg(int fd, void *message, int flags)',
  ioctl: 'int ioctl(int fd, ulong request, void *argument)',
})

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_CMSG_CLOEXEC = 0x40000000
const TIOCSWINSZ = 0x5414
const maxUnixPathBytes = 107

/** The socket that an OCI runtime sends a container's pty master to (`--console-socket`). */
export interface ConsoleSocket extends Disposable {
  readonly path: string
  /** The pty master, once the runtime has sent it. The descriptor is the caller's. */
  receive(signal?: AbortSignal): Promise<number>
}

/** Listens on a new unix socket at `path` (at most 107 bytes); disposing it removes the file. */
export function listenConsole(path: string): ConsoleSocket {
  const length = Buffer.byteLength(path)
  if (length > maxUnixPathBytes) throw new LinuxError('bind', EINVAL, { path, detail: 'longer than 107 bytes' })
  const fd = check(c.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket')
  const address = Buffer.alloc(2 + length + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  address.write(path, 2)
  try {
    check(c.bind(fd, address, address.length), 'bind', path)
    check(c.listen(fd, 1), 'listen', path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { path, receive: (signal) => receiveMaster(fd, signal), [Symbol.dispose]: () => closeConsole(fd, path) }
}

function closeConsole(fd: number, path: string): void {
  closeSync(fd)
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

async function receiveMaster(listener: number, signal?: AbortSignal): Promise<number> {
  await waitReadable(listener, signal)
  const connection = check(c.accept4(listener, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK), 'accept4')
  try {
    await waitReadable(connection, signal)
    return receiveFd(connection)
  } finally {
    closeSync(connection)
  }
}

/** Receives one descriptor (unix(7), SCM_RIGHTS; struct msghdr and cmsghdr of 64-bit Linux). */
export function receiveFd(socket: number): number {
  const data = Buffer.alloc(4096)
  const control = Buffer.alloc(64)
  const vector = Buffer.alloc(16)
  const message = Buffer.alloc(56)
  vector.writeBigUInt64LE(addressOf(data), 0)
  vector.writeBigUInt64LE(BigInt(data.length), 8)
  message.writeBigUInt64LE(addressOf(vector), 16)
  message.writeBigUInt64LE(1n, 24)
  message.writeBigUInt64LE(addressOf(control), 32)
  message.writeBigUInt64LE(BigInt(control.length), 40)
  check(c.recvmsg(socket, message, MSG_CMSG_CLOEXEC), 'recvmsg')
  const isRights = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS
  if (control.readBigUInt64LE(0) < 20n || !isRights)
    throw new Error('the message on the console socket has no descriptor')
  return control.readInt32LE(16)
}

/** Sets the size of a terminal, in characters; its foreground processes get SIGWINCH. */
export function setWindowSize(fd: number, size: { readonly rows: number; readonly columns: number }): void {
  const winsize = Buffer.alloc(8)
  winsize.writeUInt16LE(size.rows, 0)
  winsize.writeUInt16LE(size.columns, 2)
  check(c.ioctl(fd, TIOCSWINSZ, winsize), 'ioctl TIOCSWINSZ')
}
