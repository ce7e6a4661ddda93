import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Duplex, type Readable, type Writable } from 'node:stream'
import { type Endpoint, formatEndpoint } from './endpoint.ts'
import { ConnectionError } from './errors.ts'

type SshEndpoint = Endpoint & { readonly kind: 'ssh' }
type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** What of the program's complaints is kept for the error. */
const maxComplaintBytes = 4096
const connectTimeoutS = 30
/** How long the connection is kept for the next command. */
const persistS = 60

/** Starts ssh, which runs `system dial-stdio` over there; its standard streams are the connection. */
export function openSsh(endpoint: SshEndpoint, env: NodeJS.ProcessEnv = process.env): Duplex {
  const child = spawn('ssh', sshArguments(endpoint, controlDirectory(env)), { stdio: ['pipe', 'pipe', 'pipe'] })
  return new ProgramStream(child, formatEndpoint(endpoint))
}

/** The longest directory whose socket's name, with what ssh appends for a moment, fits in a sockaddr_un (unix(7)). */
const maxDirectoryBytes = 107 - '/berth-'.length - 40 - 17

/** Where the shared connection's socket may be: a folder that nobody else can write to; '' if there is none. */
export function controlDirectory(env: NodeJS.ProcessEnv, home: string = homedir()): string {
  const candidates = [env['XDG_RUNTIME_DIR'] ?? '', join(home, '.ssh')]
  return candidates.find((path) => path !== '' && Buffer.byteLength(path) <= maxDirectoryBytes && isPrivate(path)) ?? ''
}

function isPrivate(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats?.isDirectory() === true && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0
}

/**
 * The arguments of ssh. With a private directory for its socket the first ssh becomes the master of a connection that
 * all commands of the next minute share.
 */
export function sshArguments({ destination, port, socket }: SshEndpoint, directory: string): string[] {
  const at = destination.lastIndexOf('@')
  const user = at < 0 ? [] : ['-l', destination.slice(0, at)]
  const shared = ['-o', 'ControlMaster=auto', '-o', `ControlPersist=${persistS}`]
  return [
    ...user,
    ...(port === undefined ? [] : ['-p', String(port)]),
    '-o',
    `ConnectTimeout=${connectTimeoutS}`,
    ...(directory === '' ? [] : [...shared, '-o', `ControlPath=${directory}/berth-%C`]),
    '-T',
    '--',
    destination.slice(at + 1),
    remoteCommand(socket),
  ]
}

/** Ours where it is installed, else docker's: both speak the same. The login shell over there may be any. */
function remoteCommand(socket: string | undefined): string {
  const host = socket === undefined ? '' : ` --host ${quote(`unix://${socket}`)}`
  const run = (program: string): string => `exec ${program}${host} system dial-stdio`
  return `sh -c ${quote(`if command -v berth >/dev/null 2>&1; then ${run('berth')}; else ${run('docker')}; fi`)}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The standard streams of a program as one stream; the program ends with it. */
class ProgramStream extends Duplex {
  readonly #child: Child
  readonly #where: string
  #complaint = ''
  #exit: number | null | undefined

  constructor(child: Child, where: string) {
    super({ allowHalfOpen: true })
    this.#child = child
    this.#where = where
    child.on('error', (error) =>
      this.destroy(new ConnectionError(`cannot run ssh: ${error.message}`, { cause: error })),
    )
    child.on('exit', (code) => (this.#exit = code))
    child.stderr.on('data', (chunk: Buffer) => {
      this.#complaint = (this.#complaint + chunk.toString()).slice(-maxComplaintBytes)
    })
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause()
    })
    child.stdout.on('end', () => this.#finish())
    // What cannot be written is told by the program's end.
    child.stdin.on('error', () => undefined)
  }

  override _read(): void {
    this.#child.stdout.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin.write(chunk, () => done())
  }

  override _final(done: () => void): void {
    this.#child.stdin.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy()
    this.#child.kill()
    this.#child.unref()
    done(error)
  }

  /** The output has ended: well, if the program says so. */
  #finish(): void {
    if (this.#exit === undefined) {
      this.#child.once('exit', () => this.#finish())
      return
    }
    if (this.#exit === 0) this.push(null)
    else this.destroy(this.#failure())
  }

  #failure(): ConnectionError {
    const said = this.#complaint.trim()
    const hint = 'check the URL, and that berth or docker is installed there and on the PATH'
    return new ConnectionError(
      `error during connect to ${this.#where}: ssh has exited with status ${this.#exit}${said === '' ? '' : `: ${said}`}\n${hint}`,
    )
  }
}
