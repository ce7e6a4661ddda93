import { type ContainerId, type Undo } from '@berth/base'
import type { Container, MountPoint } from './container.ts'
import type { Context } from './context.ts'

type Services = Pick<Context, 'images' | 'snapshots'>

/** Gives each image mount of a container that is being made a snapshot of its own, which keeps the image's layers. */
export async function prepareImageMounts(
  services: Services,
  mounts: readonly MountPoint[],
  { id, undo }: { readonly id: ContainerId; readonly undo: Undo },
): Promise<MountPoint[]> {
  const prepared: MountPoint[] = []
  for (const mount of mounts) {
    const snapshot = `${id}${imageMountInfix}${prepared.length}`
    if (mount.image) undo.defer('image mount', () => services.snapshots.remove(snapshot))
    prepared.push(mount.image ? await prepare(services, mount, snapshot) : mount)
  }
  return prepared
}

const imageMountInfix = '-image-'

/** The container that an active snapshot belongs to: its own, or that of an image it has mounted. */
export const ownerOfSnapshot = (key: string): string => key.split(imageMountInfix, 1)[0] ?? key

async function prepare({ images, snapshots }: Services, mount: MountPoint, snapshot: string): Promise<MountPoint> {
  const image = await images.resolve(mount.name ?? '')
  await images.ensureUnpacked(image)
  await snapshots.prepare(snapshot, image.chainId)
  const source = snapshots.directories(snapshot)['MergedDir'] ?? ''
  return { ...mount, source, image: { id: image.id, subpath: '', ...mount.image, snapshot } }
}

/** The keys of the snapshots of a container's image mounts. */
export const imageSnapshots = ({ mounts }: Pick<Container, 'mounts'>): string[] =>
  mounts.flatMap(({ image }) => image?.snapshot ?? [])
