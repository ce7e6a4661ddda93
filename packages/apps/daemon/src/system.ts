import type { System } from '@berth/api'
import type { HostFacts } from '@berth/runtime'
import { execFile } from 'node:child_process'
import { readMountInfo } from '@berth/linux'
import { promisify } from 'node:util'
import { builderVersion } from './features.ts'
import { infoFacts, type SystemFacts, versionFacts } from './system-documents.ts'

export interface SystemOptions extends Omit<SystemFacts, 'versions' | 'backingFileSystem'> {
  /** Bytes of all layers in the store. */
  readonly layersSize: () => number
}

/** What the API says of the engine as a whole. */
export function createSystem(options: SystemOptions): System {
  let versions: Promise<Readonly<Record<string, string>>> | undefined
  const facts = async (): Promise<SystemFacts> => {
    versions ??= programVersions(options)
    return {
      ...options,
      versions: await versions,
      get backingFileSystem() {
        return backingFileSystem(options.dataRoot)
      },
    }
  }
  return {
    version: async () => versionFacts(await facts()),
    info: async () => infoFacts(await facts()),
    builderVersion: () => builderVersion(options.config()),
    layersSize: options.layersSize,
  }
}

/** Asked of the programs themselves, when somebody wants to know for the first time. */
async function programVersions({ runtime, facts }: SystemOptions): Promise<Readonly<Record<string, string>>> {
  const oci = runtime.runtimes[runtime.defaultRuntime]
  const entries = await Promise.all([oci ? versionOf(runtime.defaultRuntime, oci.path) : undefined, initVersion(facts)])
  return Object.fromEntries(entries.filter((entry) => entry !== undefined))
}

function initVersion({ initPath }: HostFacts): Promise<[string, string]> | undefined {
  return initPath === undefined ? undefined : versionOf('docker-init', initPath)
}

async function versionOf(name: string, path: string): Promise<[string, string]> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: 5000 }).catch(() => ({ stdout: '' }))
  return [name, /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0] ?? 'N/A']
}

/** The file system type under `path`, with Docker's name for the ext family. */
function backingFileSystem(path: string): string {
  const holders = readMountInfo().filter(
    ({ target }) => path === target || path.startsWith(target.replace(/\/?$/, '/')),
  )
  const nearest = holders.toSorted((a, b) => a.target.length - b.target.length).at(-1)
  const type = nearest?.type ?? 'unknown'
  return /^ext[234]$/.test(type) ? 'extfs' : type
}
