import { codeOf, conflict, invalid, type Logger } from '@berth/base'
import { chmod, chown, lstat, mkdir, readFile, unlink } from 'node:fs/promises'
import { once } from 'node:events'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'

/** Certificates as PEM. */
export interface TlsOptions {
  readonly certificate: string | Buffer
  readonly key: string | Buffer
  /** Authorities of client certificates; with them a client must have one. */
  readonly clientAuthority?: string | Buffer
}

interface Bound {
  readonly host: string
  readonly port: number
}

export type ListenTarget =
  | { readonly kind: 'unix'; readonly path: string; readonly group?: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: TlsOptions }
  /** A listening socket that the service manager passed; `bound`: where, of TCP's. */
  | {
      readonly kind: 'fd'
      readonly fd: number
      readonly bound?: Bound
      readonly tls?: TlsOptions
    }

/**
 * Connections that may wait to be accepted; the kernel takes its own limit where that is lower (listen(2)). A client of a
 * unix socket is refused with EAGAIN when they are more.
 */
const backlog = 4096

/** sockaddr_un's path, less the terminating zero (unix(7)). */
const longestSocketPath = 107

export async function listenOn(server: Server, target: ListenTarget, log: Logger): Promise<void> {
  if (target.kind === 'unix') return listenOnUnix(server, target.path, target.group)
  const bound = target.kind === 'fd' ? target.bound : target
  if (bound) warnWithoutTls(bound, target.tls, log)
  server.listen({ ...(target.kind === 'fd' ? { fd: target.fd } : { host: target.host, port: target.port }), backlog })
  await once(server, 'listening')
}

/** The socket is never open to more than its owner and group, not even between bind and chmod. */
async function listenOnUnix(server: Server, path: string, group: string | undefined): Promise<void> {
  if (Buffer.byteLength(path) > longestSocketPath) {
    throw invalid(`socket path ${path} is longer than ${longestSocketPath} bytes`)
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await removeStaleSocket(path)
  const umask = process.umask(0o177)
  const listening = once(server, 'listening')
  try {
    server.listen({ path, backlog })
  } finally {
    process.umask(umask)
  }
  await listening
  const gid = await socketGroup(group)
  if (gid !== undefined && process.getuid?.() === 0) await chown(path, 0, gid)
  await chmod(path, 0o660)
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return
  if (!found.isSocket()) throw conflict(`cannot listen on ${path}: it exists and is no socket`)
  if (await answers(path)) throw conflict(`cannot listen on ${path}: another process does`)
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The group that was asked for and must exist, else `berth` or `docker` where one does. */
async function socketGroup(name: string | undefined): Promise<number | undefined> {
  const groups = await readFile('/etc/group', 'utf8').catch(() => '')
  const ids = new Map(
    groups.split('\n').map((line) => {
      const [group = '', , id = ''] = line.split(':')
      return [group, Number(id)]
    }),
  )
  if (name === undefined || name === '') return ids.get('berth') ?? ids.get('docker')
  const id = /^\d+$/.test(name) ? Number(name) : ids.get(name)
  if (id === undefined) throw invalid(`group ${name} not found`)
  return id
}

function warnWithoutTls({ host, port }: Bound, tls: TlsOptions | undefined, log: Logger): void {
  if (tls?.clientAuthority) return
  log.warn({ host, port }, 'the API is open to everyone who reaches this address: whoever uses it is root here')
}
