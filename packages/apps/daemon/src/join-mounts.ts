import { existsSync } from 'node:fs'
import { internal } from '@berth/base'

/**
 * Begins this program anew, under the same pid, in the mount namespace of process `pid`: Node's threads cannot go there
 * (setns(2)). `directory`: what relative paths of the command line are as of. Throws `internal` where that is impossible.
 */
export function joinMounts(pid: number, directory: string): never {
  const there = existsSync(`/proc/${pid}/root${directory}`) ? directory : '/'
  const enter = ['nsenter', `--mount=/proc/${pid}/ns/mnt`, `--wdns=${there}`, '--']
  const [script = '', ...args] = process.argv.slice(1)
  process.execve?.('/usr/bin/env', ['env', ...enter, process.execPath, ...process.execArgv, '--', script, ...args])
  throw internal(`the mount namespace of process ${pid} cannot be joined`)
}
