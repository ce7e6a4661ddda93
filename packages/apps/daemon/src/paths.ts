import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config/config.ts'

/** Where the daemon keeps its things. */
export interface Paths {
  /** Persistent: images, layers, containers, state.db. */
  readonly dataRoot: string
  /** Lives as long as the machine is up: sockets, bundles, network namespaces. */
  readonly runRoot: string
  readonly database: string
  readonly containers: string
  readonly pidfile: string
}

export function planPaths(config: Config): Paths {
  const dataRoot = config.get('data-root', '/var/lib/berth')
  const runRoot = config.get('exec-root', '/run/berth')
  return {
    dataRoot,
    runRoot,
    database: join(dataRoot, 'state.db'),
    containers: join(dataRoot, 'containers'),
    pidfile: config.get('pidfile', join(runRoot, 'berth.pid')),
  }
}

/** Another user cannot enter the data root: layers hold setuid programs of images. */
export async function makeDirectories({ dataRoot, runRoot, containers }: Paths): Promise<void> {
  await mkdir(dataRoot, { recursive: true, mode: 0o710 })
  await mkdir(containers, { recursive: true, mode: 0o710 })
  await mkdir(runRoot, { recursive: true, mode: 0o711 })
}
