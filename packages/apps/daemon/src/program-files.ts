import { basename, dirname, join } from 'node:path'

/** The engine's other programs: beside the bundle when that runs, else the sources. */
export interface ProgramFiles {
  readonly supervisor: string
  readonly layerWorker: string
}

/** `script` is the file that Node runs (`process.argv[1]`). */
export function programFiles(script: string): ProgramFiles {
  const directory = dirname(script)
  if (basename(script) === 'daemon.cjs') {
    return { supervisor: join(directory, 'supervisor.cjs'), layerWorker: join(directory, 'layer-worker.cjs') }
  }
  const packages = join(directory, '../../..')
  return {
    supervisor: join(packages, 'services/runtime/src/supervisor/main.ts'),
    layerWorker: join(packages, 'services/storage/src/layers/worker.ts'),
  }
}
