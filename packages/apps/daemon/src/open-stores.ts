import { fault } from '@berth/base'
import { type OpenImages, openImages, openSignatureGate } from '@berth/images'
import { createRegistries, type Registries } from '@berth/registry'
import { openStorage, type Storage } from '@berth/storage'
import { openVolumes, type OwnedVolumes } from '@berth/volumes'
import type { Host } from './open-host.ts'
import { registrySettings, transferLimits } from './registry-settings.ts'
import { minFreeSpace, storageDriver } from './storage-settings.ts'

/** What is kept on the disk, and the registries that it comes from. */
export interface Stores {
  readonly storage: Storage
  readonly registries: Registries
  readonly images: OpenImages
  readonly volumes: OwnedVolumes
}

/** Opens them one on top of the other; each is closed by the stack. */
export async function openStores(stack: AsyncDisposableStack, host: Host): Promise<Stores> {
  const { initial, live, paths, programs, database, events, logger } = host
  const root = paths.dataRoot
  const worker = { file: programs.layerWorker }
  const spaceFloor = () => minFreeSpace(live.settings.config)
  const storage = stack.use(
    await openStorage({ root, database, logger, driver: storageDriver(initial), worker, fault, spaceFloor }),
  )
  const { content, snapshots, leases, space } = storage
  const registries = stack.use(createRegistries(registrySettings(initial)))
  const concurrency = () => transferLimits(live.settings.config)
  const policy = initial.get('signature-policy', '')
  const gate = initial.has('signature-policy') ? openSignatureGate(policy, logger) : undefined
  const images = stack.use(
    await openImages({ database, content, snapshots, events, logger, leases, space, registries, concurrency, gate }),
  )
  stack.use(storage.addRoots(() => images.gcRoots()))
  const volumes = stack.use(await openVolumes({ root, database, events, logger, worker }))
  return { storage, registries, images, volumes }
}
