import { codeOf, internal } from '@berth/base'
import { keepOnExec, openInRoot } from '@berth/linux'
import { findExecutable } from '@berth/runtime'
import { closeSync } from 'node:fs'
import { passedAgain } from './passed-sockets.ts'

/** How this program was started, and is to be again. */
export interface Rerun {
  /** What relative paths of the command line are as of. */
  readonly directory: string
  /** Absolute paths of what it reads before it serves. */
  readonly files: readonly string[]
  /** The sockets that the service manager has passed. */
  readonly sockets: readonly number[]
}

/** Why this program cannot begin anew where process `pid` runs; undefined: it can. A failure there would be one at each start. */
export function obstacleTo(pid: number, { directory, files }: Rerun): string | undefined {
  const needed = [directory, process.execPath, process.argv[1] ?? '', ...files]
  const missing = needed.find((path) => !isThere(`/proc/${pid}/root`, path))
  if (missing !== undefined) return `${missing} is not in its mounts`
  return findExecutable('nsenter') === undefined ? 'nsenter is not installed' : undefined
}

/** With the links as they are there. */
function isThere(root: string, path: string): boolean {
  try {
    closeSync(openInRoot(root, path))
    return true
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(codeOf(error) ?? '')) return false
    throw error
  }
}

/**
 * Begins this program anew, under the same pid, in the mount namespace of process `pid`: Node's threads cannot go there
 * (setns(2)). The directory is opened before that, through the root of `pid`: older versions of nsenter(1) know no other way.
 * Throws `internal` where that is impossible.
 */
export function joinMounts(pid: number, { directory, sockets }: Rerun): never {
  const nsenter = findExecutable('nsenter') ?? ''
  const enter = [`--mount=/proc/${pid}/ns/mnt`, `--wd=/proc/${pid}/root${directory}`, '--']
  const [script = '', ...args] = process.argv.slice(1)
  for (const fd of sockets) keepOnExec(fd)
  const environment = { ...process.env, ...passedAgain(sockets, process.pid) }
  const program = [process.execPath, ...process.execArgv, '--', script, ...args]
  process.execve?.(nsenter, ['nsenter', ...enter, ...program], environment)
  throw internal(`the mount namespace of process ${pid} cannot be joined`)
}
