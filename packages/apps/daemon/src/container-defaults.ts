import { invalid } from '@berth/base'
import { checkUlimits, type DaemonDefaults } from '@berth/containers'
import type { Ulimit } from '@berth/engine-api'
import type { Runtime } from '@berth/runtime'
import { readFile } from 'node:fs/promises'
import { parseBytes } from './config/parse-bytes.ts'
import type { Config } from './config/config.ts'

/**
 * What the configuration gives to every container, as a function of the current one: a reload changes it. The seccomp
 * profile's file is read once.
 */
export async function containerDefaults(
  config: Config,
  runtime: Pick<Runtime, 'runtimes' | 'defaultRuntime'>,
  dataRoot: string,
): Promise<(config: Config) => DaemonDefaults> {
  const seccompProfile = await readSeccompProfile(config)
  return (current) => ({
    ...containerSettings(current),
    seccompProfile,
    runtimes: Object.keys(runtime.runtimes),
    cgroupDriver: 'cgroupfs',
    dataRoot,
  })
}

/** What the configuration alone decides. Throws `invalid` naming the option that is wrong. */
export function containerSettings(config: Config) {
  requireExecOptions(config)
  const ulimits = config.get('default-ulimits', {} as Readonly<Record<string, Ulimit>>)
  checkUlimits(Object.values(ulimits))
  return {
    logConfig: logConfig(config),
    ulimits,
    init: config.get('init', false),
    shmSizeBytes: parseBytes('default-shm-size', config.get('default-shm-size', '64m')),
    ipcMode: oneOf(config, 'default-ipc-mode', ['private', 'shareable']),
    cgroupnsMode: oneOf(config, 'default-cgroupns-mode', ['', 'private', 'host']),
    noNewPrivileges: config.get('no-new-privileges', false),
    cgroupParent: cgroupParent(config),
  }
}

/** Above the containers' cgroups; `/docker` by default, as programs that look for themselves in /proc/self/cgroup expect. */
export const cgroupParent = (config: Config): string => config.get('cgroup-parent', '') || '/docker'

/** Only what was configured: rotation is on where nothing is said (`planLog`), and inspect shows what was said. */
function logConfig(config: Config): DaemonDefaults['logConfig'] {
  const own = config.get('log-opts', {} as Readonly<Record<string, string>>)
  return { Type: config.get('log-driver', 'json-file'), Config: { ...own } }
}

async function readSeccompProfile(config: Config): Promise<string> {
  const value = config.get('seccomp-profile', 'builtin')
  if (['', 'builtin', 'unconfined'].includes(value)) return value
  return await readFile(value, 'utf8').catch((error: unknown) => {
    throw invalid(`opening seccomp profile (${value}) failed`, error)
  })
}

function requireExecOptions(config: Config): void {
  for (const option of config.get('exec-opts', [] as readonly string[])) {
    if (option === 'native.cgroupdriver=cgroupfs') continue
    if (option === 'native.cgroupdriver=systemd')
      throw invalid('exec-opt native.cgroupdriver=systemd is not supported yet')
    throw invalid(`invalid exec-opt: ${option}`)
  }
}

function oneOf<const T extends string>(config: Config, key: string, values: readonly T[]): T {
  const value = config.get(key, values[0] as string)
  const found = values.find((candidate) => candidate === value)
  if (found === undefined) throw invalid(`invalid --${key}: ${value}`)
  return found
}
