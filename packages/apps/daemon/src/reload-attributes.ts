import type { HostFacts, Runtime } from '@berth/runtime'
import type { Config } from './config/config.ts'
import type { RuntimeEntry } from './config/values.ts'
import { containerSettings } from './container-defaults.ts'
import { registrySettings, transferLimits } from './registry-settings.ts'

interface Engine {
  readonly facts: Pick<HostFacts, 'hostname' | 'cgroup'>
  readonly runtime: Pick<Runtime, 'defaultRuntime'>
}

/** What dockerd says of its settings in the event of a reload, and our log does. */
export function reloadAttributes(config: Config, { facts, runtime }: Engine): Record<string, string> {
  const { ipcMode, shmSizeBytes, cgroupnsMode } = containerSettings(config)
  const { downloads, uploads } = transferLimits(config)
  const runtimes = Object.entries(config.get('runtimes', {} as Readonly<Record<string, RuntimeEntry>>))
  const list = (key: string) => JSON.stringify(config.get(key, [] as readonly string[]))
  return {
    name: facts.hostname,
    debug: String(config.get('debug', false)),
    'default-cgroupns-mode': cgroupnsMode || (facts.cgroup.version === 2 ? 'private' : 'host'),
    'default-ipc-mode': ipcMode,
    'default-runtime': runtime.defaultRuntime,
    'default-shm-size': String(shmSizeBytes),
    features: goMap(config.get('features', {} as Readonly<Record<string, boolean>>)),
    'insecure-registries': list('insecure-registries'),
    labels: list('labels'),
    // Containers belong to the supervisor, whatever was asked for.
    'live-restore': 'true',
    'max-concurrent-downloads': String(downloads),
    'max-concurrent-uploads': String(uploads),
    'max-download-attempts': String(registrySettings(config).attempts),
    'registry-mirrors': list('registry-mirrors'),
    runtimes: runtimes.map(([name, { path }]) => `${name}:${path}`).join(' '),
    'shutdown-timeout': String(config.get('shutdown-timeout', defaultShutdownSeconds)),
  }
}

const defaultShutdownSeconds = 1

/** As Go prints a map. */
function goMap(values: Readonly<Record<string, boolean>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}:${value}`)
  return `map[${pairs.toSorted().join(' ')}]`
}
