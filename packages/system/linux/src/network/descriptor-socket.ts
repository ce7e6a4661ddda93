import { closeSync } from 'node:fs'
import { LinuxError } from '../error.ts'
import { addressOf, check, declareFunctions, EAGAIN, EINVAL, errno } from '../libc.ts'

const c = declareFunctions<{
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  listen(fd: number, backlog: number): number
  connect(fd: number, address: Uint8Array, length: number): number
  sendmsg(fd: number, message: Uint8Array, flags: number): number
  recvmsg(fd: number, message: Uint8Array, flags: number): number
}>({
  socket: 'int socket(int domain, int type, int protocol)',
  bind: 'int bind(int fd, void *address, uint length)',
  listen: 'int listen(int fd, int backlog)',
  connect: 'int connect(int fd, void *address, uint length)',
  sendmsg: 'long sendmsg(int fd, void *message, int flags)',
  recvmsg: 'long recvmsg(int fd, void *message, int flags)',
})

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x40000000
const maxUnixPathBytes = 107
const maxPacketBytes = 16_384
const maxDescriptors = 16
const cmsgHeaderBytes = 16

/** A message with descriptors, whole. */
export interface DescriptorPacket {
  readonly data: Buffer
  /** The receiver's. */
  readonly fds: readonly number[]
}

function unixSocket(path: string): { fd: number; address: Buffer } {
  const length = Buffer.byteLength(path)
  if (length > maxUnixPathBytes) throw new LinuxError('socket', EINVAL, { path, detail: 'longer than 107 bytes' })
  const address = Buffer.alloc(2 + length + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  address.write(path, 2)
  return { fd: check(c.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket', path), address }
}

/** Listens on a new unix socket for packets (unix(7), SOCK_SEQPACKET), which carry descriptors. Accept by `acceptSocket`. */
export function listenDescriptors(path: string): number {
  const { fd, address } = unixSocket(path)
  try {
    check(c.bind(fd, address, address.length), 'bind', path)
    check(c.listen(fd, 16), 'listen', path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Connects to such a socket. Throws ENOENT or ECONNREFUSED when nobody listens. */
export function connectDescriptors(path: string): number {
  const { fd, address } = unixSocket(path)
  try {
    check(c.connect(fd, address, address.length), 'connect', path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Sends a packet; false: the peer has to read first. Throws when it is gone. */
export function sendDescriptors(socket: number, data: Uint8Array, fds: readonly number[]): boolean {
  const control = Buffer.alloc(fds.length === 0 ? 0 : cmsgHeaderBytes + Math.ceil((4 * fds.length) / 8) * 8)
  if (fds.length > 0) {
    control.writeBigUInt64LE(BigInt(cmsgHeaderBytes + 4 * fds.length), 0)
    control.writeInt32LE(SOL_SOCKET, 8)
    control.writeInt32LE(SCM_RIGHTS, 12)
    for (const [index, fd] of fds.entries()) control.writeInt32LE(fd, cmsgHeaderBytes + 4 * index)
  }
  const { header } = messageHeader(Buffer.from(data), control)
  if (c.sendmsg(socket, header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true
  if (errno() === EAGAIN) return false
  check(-1, 'sendmsg')
  return false
}

// One per thread: a packet is copied out before the next is received, and few are as long as they may be.
const packet = Buffer.alloc(maxPacketBytes)

/** The next packet; undefined: none has come yet; 'end': the peer is gone. */
export function receiveDescriptors(socket: number): DescriptorPacket | 'end' | undefined {
  const control = Buffer.alloc(cmsgHeaderBytes + 4 * maxDescriptors)
  const { header } = messageHeader(packet, control)
  const length = c.recvmsg(socket, header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
  if (length < 0) return errno() === EAGAIN ? undefined : 'end'
  if (length === 0) return 'end'
  return {
    data: Buffer.from(packet.subarray(0, length)),
    fds: readDescriptors(control, Number(header.readBigUInt64LE(40))),
  }
}

/** struct cmsghdr of 64-bit Linux; more than fit were closed by the kernel. */
function readDescriptors(control: Buffer, controlBytes: number): number[] {
  if (controlBytes < cmsgHeaderBytes + 4) return []
  if (control.readInt32LE(8) !== SOL_SOCKET || control.readInt32LE(12) !== SCM_RIGHTS) return []
  const count = (Number(control.readBigUInt64LE(0)) - cmsgHeaderBytes) >> 2
  return Array.from({ length: count }, (_, index) => control.readInt32LE(cmsgHeaderBytes + 4 * index))
}

/** struct msghdr of 64-bit Linux. The buffers must outlive its use, so they come along. */
function messageHeader(data: Buffer, control: Buffer) {
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(addressOf(data), 0)
  vector.writeBigUInt64LE(BigInt(data.length), 8)
  const header = Buffer.alloc(56)
  header.writeBigUInt64LE(addressOf(vector), 16)
  header.writeBigUInt64LE(1n, 24)
  if (control.length > 0) header.writeBigUInt64LE(addressOf(control), 32)
  header.writeBigUInt64LE(BigInt(control.length), 40)
  return { header, vector, data, control }
}
