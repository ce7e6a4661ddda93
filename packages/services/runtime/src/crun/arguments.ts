import type { ContainerId } from '@berth/base'

/** Files of one runtime call, all in the container's bundle. */
export interface RuntimeFiles {
  readonly pidFile: string
  /** JSON lines, of which the last error is the reason of a failure. */
  readonly logFile: string
  readonly consolePath?: string
}

/** `PATH` of an OCI runtime, and all of its environment: the engine's own is none of its business. */
export const runtimePath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The verbs that crun and runc share, cgroups by cgroupfs. `run --detach` is create and start in one process. */
export function runArguments(
  ociRoot: string,
  container: { readonly containerId: ContainerId; readonly bundle: string },
  files: RuntimeFiles,
): string[] {
  return [
    ...globalArguments(ociRoot, files),
    'run',
    ...detached(files),
    '--bundle',
    container.bundle,
    container.containerId,
  ]
}

/** Where a runtime that is to read the process from its descriptor 3 finds it. */
export const inheritedProcess = '/proc/self/fd/3'

/** `processFile` holds the process as config.json would. */
export function execArguments(
  ociRoot: string,
  exec: { readonly containerId: ContainerId; readonly processFile: string },
  files: RuntimeFiles,
): string[] {
  return [
    ...globalArguments(ociRoot, files),
    'exec',
    ...detached(files),
    '--process',
    exec.processFile,
    exec.containerId,
  ]
}

const globalArguments = (ociRoot: string, { logFile }: RuntimeFiles): string[] => [
  '--root',
  ociRoot,
  '--log',
  logFile,
  '--log-format',
  'json',
]

function detached({ pidFile, consolePath }: RuntimeFiles): string[] {
  const console = consolePath === undefined ? [] : ['--console-socket', consolePath]
  return ['--detach', '--pid-file', pidFile, ...console]
}
