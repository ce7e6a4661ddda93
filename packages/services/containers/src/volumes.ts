import type { ContainerId } from '@berth/base'
import type { VolumeUse } from '@berth/volumes'
import type { Container, MountPoint } from './container.ts'
import type { Context } from './context.ts'
import type { PlannedMount } from './plan/types.ts'

/** Which of `containers` has which volume. */
export function* volumeUses(containers: Iterable<Container>): Iterable<VolumeUse> {
  for (const { id, mounts } of containers) {
    for (const mount of mounts) if (mount.type === 'volume') yield { volume: nameOf(mount), containerId: id }
  }
}

/** The planned mounts with their volumes, made where they are not there yet. */
export async function acquireVolumes(
  { volumes }: Pick<Context, 'volumes'>,
  id: ContainerId,
  planned: readonly PlannedMount[],
): Promise<MountPoint[]> {
  const mounts: MountPoint[] = []
  for (const { request, ...mount } of planned) {
    if (request === undefined) {
      mounts.push(mount)
      continue
    }
    const { name, driver, mountpoint } = await volumes.acquire(request, id)
    mounts.push({ ...mount, name, driver, source: mountpoint })
  }
  return mounts
}

/** Fills volumes that are empty with what the image has in their places, parents first. */
export async function fillVolumes(context: Context, id: ContainerId, mounts: readonly MountPoint[]): Promise<void> {
  const filled = mounts.filter(({ volume }) => volume?.isFilled)
  for (const mount of filled.toSorted((a, b) => a.destination.length - b.destination.length)) {
    // Nothing is mounted in vain: a server of the network may be down.
    const isDevice = context.volumes.get(nameOf(mount)).options !== null
    if (isDevice && !(await context.snapshots.hasDirectory(id, mount.destination))) continue
    await context.volumes.fill(nameOf(mount), id, async (directory) =>
      (await context.snapshots.copyDirectory(id, mount.destination, directory)) ? 'filled' : 'absent',
    )
  }
}

/** Mounts a container's volumes; the caller defers `unmountAll`. */
export async function mountVolumes({ volumes }: Context, { id, mounts }: Container): Promise<void> {
  for (const mount of mounts) {
    if (mount.type !== 'volume') continue
    const { destination, rw, propagation } = mount
    await volumes.mount(nameOf(mount), id, { destination, isWritable: rw, propagation })
  }
}

/** Removes a container's anonymous volumes, but those that another container has. */
export async function removeAnonymousVolumes({ volumes }: Context, { id, mounts }: Container): Promise<void> {
  for (const mount of mounts) {
    if (mount.type === 'volume' && mount.volume?.isNamed === false) await volumes.removeUnused(nameOf(mount), id)
  }
}

const nameOf = ({ name = '' }: MountPoint): string => name
