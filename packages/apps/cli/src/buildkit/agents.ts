import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '@berth/base'
import { readFailure } from '../options/key-values.ts'
import type { SshSpec } from './build-request.ts'

/** Sockets of agents by their ids; disposing ends those that were started for keys. */
export interface Agents extends Disposable {
  readonly sockets: ReadonlyMap<string, string>
}

type Environment = Readonly<Record<string, string | undefined>>

/** Finds the agents that are asked for, and starts one for each set of keys. Throws for what is neither. */
export function startAgents(specs: readonly SshSpec[], env: Environment): Agents {
  using undo = new DisposableStack()
  const sockets = new Map<string, string>()
  for (const { id, paths } of specs) {
    if (sockets.has(id)) throw new Error(`invalid duplicate ID ${id}`)
    const places = placesOf(paths, env)
    const what = `failed to convert agent config {${id} [${paths.join(' ')}] false}`
    if (places.length === 0) {
      throw new Error(`${what}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`)
    }
    try {
      sockets.set(id, findSocket(places) ?? startAgent(places, undo))
    } catch (error) {
      const reason = `failed to convert agent config for ID: ${JSON.stringify(id)}: ${messageOf(error)}`
      throw new Error(`${what}: ${reason}`, { cause: error })
    }
  }
  const owned = undo.move()
  return { sockets, [Symbol.dispose]: () => owned.dispose() }
}

/** What was named, or the agent of our environment; none where that names none. */
function placesOf(paths: readonly string[], env: Environment): readonly string[] {
  const isNamed = paths.length > 1 || (paths[0] ?? '') !== ''
  return isNamed ? paths : [env['SSH_AUTH_SOCK'] ?? ''].filter(Boolean)
}

/** The agent's socket; undefined for keys. */
function findSocket([first = '', ...more]: readonly string[]): string | undefined {
  const status = statSync(first, { throwIfNoEntry: false })
  if (status === undefined) throw new Error(`stat ${first}: no such file or directory`)
  if (!status.isSocket()) {
    for (const path of [first, ...more]) requireKey(path)
    return undefined
  }
  if (more.length > 0) throw new Error('only single socket allowed')
  return first
}

/** OpenSSH's files of keys, and those of PEM, have such a line (RFC 7468). */
const keyMark = /^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/m

function requireKey(path: string): void {
  let text: string
  try {
    text = readFileSync(path, 'latin1')
  } catch (error) {
    throw new Error(`failed to read ${path}: ${readFailure(path, error)}`, { cause: error })
  }
  if (!keyMark.test(text)) throw new Error(`failed to parse ${path}: ssh: no key found`)
}

const startMs = 3000

/** An agent of our own with those keys, at a socket that only we reach. */
function startAgent(keys: readonly string[], undo: DisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-ssh-'))
  undo.defer(() => rmSync(folder, { recursive: true, force: true }))
  const socket = join(folder, 'agent')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  let failure: Error | undefined
  agent.on('error', (error) => (failure = error))
  undo.defer(() => agent.kill())
  const deadline = Date.now() + startMs
  while (!existsSync(socket)) {
    if (failure !== undefined || agent.pid === undefined || Date.now() > deadline) {
      throw new Error('keys for --ssh need the program ssh-agent, which does not start')
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  }
  try {
    const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS_REQUIRE: 'never' }
    execFileSync('ssh-add', ['-q', '--', ...keys], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    throw new Error(`failed to add the keys ${keys.join(', ')}: ${messageOf(error)}`, { cause: error })
  }
  return socket
}
