import type { ContainerSummary, ImageSummary, NetworkResponse, VolumeResponse } from '@berth/engine-api'
import type { TreeNode } from '../output/tree.ts'

/** What the engine has, as its lists tell. */
export interface Inventory {
  readonly containers: readonly ContainerSummary[]
  readonly images: readonly ImageSummary[]
  readonly volumes: readonly VolumeResponse[]
  readonly networks: readonly NetworkResponse[]
}

/** One image, volume or network, and the containers that use it. */
export interface Used {
  readonly Name: string
  readonly ID: string
  readonly UsedBy: readonly { readonly Name: string; readonly State: string }[]
}

export interface UsageMap {
  readonly Images: readonly Used[]
  readonly Volumes: readonly Used[]
  readonly Networks: readonly Used[]
}

/** Who uses what. */
export function planUsageMap({ containers, images, volumes, networks }: Inventory): UsageMap {
  const users = (uses: (container: ContainerSummary) => boolean): Used['UsedBy'] =>
    containers.filter(uses).map(({ Names, Id, State }) => ({ Name: nameOf(Names, Id), State }))
  return {
    Images: images.map(({ Id, RepoTags }) => ({
      Name: (RepoTags ?? []).join(', ') || '<none>',
      ID: Id,
      UsedBy: users(({ ImageID }) => ImageID === Id),
    })),
    Volumes: volumes.map(({ Name }) => ({
      Name,
      ID: Name,
      UsedBy: users(({ Mounts }) => (Mounts ?? []).some((mount) => mount.Type === 'volume' && mount.Name === Name)),
    })),
    Networks: networks.map(({ Name, Id }) => ({
      Name,
      ID: Id,
      UsedBy: users(({ NetworkSettings }) => usesNetwork(NetworkSettings?.Networks ?? {}, Name, Id)),
    })),
  }
}

function usesNetwork(
  endpoints: NonNullable<ContainerSummary['NetworkSettings']>['Networks'],
  name: string,
  id: string,
): boolean {
  return Object.entries(endpoints).some(([key, { NetworkID }]) => key === name || NetworkID === id)
}

function nameOf(names: readonly string[], id: string): string {
  return names.map((one) => one.replace(/^\//, '')).find((one) => !one.includes('/')) ?? id.slice(0, 12)
}

export function usageMapNodes({ Images, Volumes, Networks }: UsageMap): TreeNode[] {
  return [section('Images', Images), section('Volumes', Volumes), section('Networks', Networks)]
}

function section(title: string, things: readonly Used[]): TreeNode {
  const sorted = things.toSorted((a, b) => (a.Name < b.Name ? -1 : 1))
  return {
    text: `${title} (${things.length}, ${things.filter(({ UsedBy }) => UsedBy.length === 0).length} unused)`,
    children: sorted.map(({ Name, UsedBy }) => ({
      text: UsedBy.length === 0 ? `${Name}  unused` : Name,
      children: UsedBy.map((user) => ({ text: `${user.Name}  ${user.State}` })),
    })),
  }
}
