import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, writeFileSync } from 'node:fs'

/** `length` ids from `inside` on in the namespace are those from `outside` on. */
export interface IdRange {
  readonly inside: number
  readonly outside: number
  readonly length: number
}

export interface IdMaps {
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
}

/**
 * A new user namespace with the maps, as a descriptor that is the caller's; no process is in it. A thread cannot enter one
 * (user_namespaces(7)): a process does, and ends.
 */
export async function openUserNamespace({ uids, gids }: IdMaps): Promise<number> {
  const child = spawn('unshare', ['--user', 'sh', '-c', 'echo; exec cat >/dev/null'], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const exited = once(child, 'exit')
  try {
    const isReady = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)])
    if (!isReady) throw new Error(`no user namespace can be made: ${Buffer.concat(said).toString().trim()}`)
    writeFileSync(`/proc/${child.pid}/uid_map`, textOf(uids))
    writeFileSync(`/proc/${child.pid}/gid_map`, textOf(gids))
    return openSync(`/proc/${child.pid}/ns/user`, 'r')
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

const textOf = (ranges: readonly IdRange[]): string =>
  ranges.map(({ inside, outside, length }) => `${inside} ${outside} ${length}\n`).join('')
