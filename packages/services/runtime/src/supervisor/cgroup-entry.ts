import { readdirSync, readFileSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, type ContainerId } from '@berth/base'
import { type Cgroups, taskFiles } from '@berth/linux'

/** How an OCI runtime enters its container's cgroup before it runs, so that it need not move its process there. */
export interface CgroupEntry {
  /** A copy of the runtime's own, in which the container has no cgroup. */
  readonly ociRoot: string
  /** Each is written `0`. */
  readonly taskFiles: readonly string[]
}

export interface EntryRequest {
  readonly containerId: ContainerId
  readonly bundle: string
  readonly ociRoot: string
  readonly cgroupsPath: string
}

/**
 * The entry into a running container's cgroup; undefined where there is none: no tree of version 1, or a runtime that keeps
 * its state otherwise than crun.
 */
export function cgroupEntry(cgroups: Cgroups, request: EntryRequest): CgroupEntry | undefined {
  const files = taskFiles(cgroups, request.cgroupsPath)
  if (!files) return undefined
  const ociRoot = join(request.bundle, 'entered')
  const isThere = copyState(join(request.ociRoot, request.containerId), join(ociRoot, request.containerId))
  return isThere ? { ociRoot, taskFiles: files } : undefined
}

/** Links what the runtime knows of the container, but for its status, which is written without the cgroup; last of all. */
function copyState(from: string, to: string): boolean {
  try {
    mkdirSync(to, { recursive: true, mode: 0o700 })
    const there = new Set(readdirSync(to))
    const status: unknown = JSON.parse(readFileSync(join(from, 'status'), 'utf8'))
    if (typeof status !== 'object' || status === null || !('cgroup-path' in status)) return false
    for (const name of readdirSync(from)) {
      if (name !== 'status' && !there.has(name)) symlinkSync(join(from, name), join(to, name))
    }
    writeFileSync(join(to, 'status'), JSON.stringify({ ...status, 'cgroup-path': '' }), { mode: 0o600 })
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return false
    throw error
  }
}

/** What sh runs: enters the cgroup, then is the runtime. Its arguments: how many files, the files, the runtime's command. */
const script =
  '{ n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 >"$1" || exit 125; shift; n=$((n - 1)); done; } 2>/dev/null; exec "$@"'

/** The command that enters and then runs `command`. */
export function enteringCommand({ taskFiles: files }: CgroupEntry, command: readonly string[]): string[] {
  return ['/bin/sh', '-c', script, 'sh', String(files.length), ...files, ...command]
}
