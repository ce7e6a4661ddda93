import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { patience } from './patience.ts'

/** What an engine could leave behind on the host, one line per thing. */
export type HostState = ReadonlySet<string>

/** Every process that inherits this variable belongs to one sandbox: its value is the sandbox's name. */
export const sandboxVariable = 'BERTH_TEST_SANDBOX'

/** The mounts, network namespaces, engine cgroups and engine nft tables of the host as it stands. */
export function readHostState(): HostState {
  const [mounted, named] = [mounts(), entries('/run/netns').map((name) => `/run/netns/${name}`)]
  // A namespace that `ip netns` has mounted for all was made outside of every sandbox, whose mounts do not come out.
  const others = new Set([...mounted, ...mounts(1)].filter((at) => at.startsWith('/run/netns/')))
  return new Set([
    ...countedMounts(mounted, isHostsNamespace())
      .filter((at) => !others.has(at))
      .map((at) => `mount ${at}`),
    ...named.filter((at) => !others.has(at)).map((at) => `netns ${at}`),
    ...engineCgroups('/sys/fs/cgroup', 5).map((path) => `cgroup ${path}`),
    ...engineTables().map((name) => `nft table ${name}`),
  ])
}

/**
 * The mounts that may be ours. In the host's own namespace everybody mounts, and no sandbox does: there the path says whose
 * one is.
 */
export const countedMounts = (mounted: readonly string[], isHosts: boolean): readonly string[] =>
  isHosts ? mounted.filter((at) => at.includes('berth')) : mounted

function isHostsNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/mnt') === readlinkSync('/proc/1/ns/mnt')
  } catch {
    return false
  }
}

/**
 * What is here now and was not in `before`, and the processes of `sandbox`. Waits up to `patienceMs` for what is on
 * its way out (the kernel frees namespaces and cgroups a little later); what comes meanwhile is somebody else's.
 */
export async function leaksSince(before: HostState, sandbox: string, patienceMs = 5000): Promise<string[]> {
  const deadline = performance.now() + patience(patienceMs)
  const find = (): string[] => [
    ...[...readHostState()].filter((line) => !before.has(line) && !isOthers(line)),
    ...processesOf(sandbox).map((pid) => `process ${pid} ${commandLine(pid)}`),
  ]
  let left = find()
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50)
    const now = new Set(find())
    left = left.filter((line) => now.has(line))
  }
  return left
}

/**
 * Test cgroups bear the pid of the process that made them: while that one lives, they are of a run beside this one. Engines
 * under test have a parent of their own: what is in an engine's usual one is another engine's.
 */
function isOthers(line: string): boolean {
  if (/^cgroup .*\/docker\//.test(line)) return true
  const owner = /^cgroup .*berth-[a-z-]+-(\d+)/.exec(line)?.[1]
  return owner !== undefined && commandLine(Number(owner)) !== '' && Number(owner) !== process.pid
}

/** The pids that carry `sandbox`'s variable, without the caller. */
export function processesOf(sandbox: string): number[] {
  const marker = `${sandboxVariable}=${sandbox}\0`
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => readIfThere(`/proc/${pid}/environ`).includes(marker))
    .map(Number)
}

/** A process's arguments joined by spaces; '' when it is gone. */
export const commandLine = (pid: number): string => readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()

/** Where something is mounted in this process's namespace. */
export const mountPoints = (): readonly string[] => mounts()

/**
 * Where something has been mounted since `before`. What is gone does not count: whoever removes the file or directory that
 * a mount is on, in whatever namespace, takes it away from all of them.
 */
export function mountsSince(before: readonly string[]): string[] {
  const left = [...before]
  return mounts().filter((at) => {
    const index = left.indexOf(at)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

function mounts(pid: number | 'self' = 'self'): string[] {
  return readIfThere(`/proc/${pid}/mountinfo`)
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((at) => at !== '')
}

/**
 * Removes the cgroup `name` of every hierarchy that process `pid` sees mounted; what is not empty stays, to be found as a
 * leak.
 */
export function removeEmptyCgroups(name: string, pid: number): void {
  const root = `/proc/${pid}/root/sys/fs/cgroup`
  for (const hierarchy of ['', ...entries(root)]) {
    try {
      rmdirSync(join(root, hierarchy, name))
    } catch {
      // absent here, or not empty
    }
  }
}

/** Directories that an engine names: `berth...`, or a container id. */
function engineCgroups(folder: string, depth: number): string[] {
  if (depth === 0) return []
  return readdirIfThere(folder).flatMap((entry) => {
    if (!entry.isDirectory()) return []
    const path = join(folder, entry.name)
    const own = /berth|^[0-9a-f]{64}$/.test(entry.name) ? [path] : []
    return [...own, ...engineCgroups(path, depth - 1)]
  })
}

function engineTables(): string[] {
  try {
    const list = execFileSync('nft', ['list', 'tables'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return list.split('\n').filter((line) => /berth/.test(line))
  } catch {
    return []
  }
}

const entries = (folder: string): string[] => readdirIfThere(folder).map((entry) => entry.name)

function readdirIfThere(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
