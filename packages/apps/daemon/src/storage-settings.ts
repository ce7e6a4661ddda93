import { invalid } from '@berth/base'
import { defaultSpaceFloor, parseSpaceFloor, type SpaceFloor } from '@berth/storage'
import type { Config } from './config/config.ts'

/** Throws `invalid` for a driver that there is not. */
export function storageDriver(config: Config): 'overlay2' | 'vfs' {
  const driver = config.get('storage-driver', '') || 'overlay2'
  if (driver !== 'overlay2' && driver !== 'vfs') {
    throw invalid(`invalid --storage-driver: ${driver}: use overlay2 or vfs`)
  }
  return driver
}

/** Throws `invalid` for what is no size. */
export function minFreeSpace(config: Config): SpaceFloor {
  const text = config.get('min-free-space', '')
  return text === '' ? defaultSpaceFloor : parseSpaceFloor(text)
}
