import type { ContainerSummary } from '@berth/engine-api'
import { formatPorts } from '../commands/container/container-view.ts'
import type { TreeNode } from '../output/tree.ts'

/** Containers below their images, with the networks and mounts that each uses. */
export interface ImageBranch {
  readonly Image: string
  readonly Containers: readonly ContainerBranch[]
}

export interface ContainerBranch {
  readonly Name: string
  readonly ID: string
  readonly State: string
  readonly Status: string
  readonly Ports: string
  readonly Networks: readonly { readonly Name: string; readonly Address: string }[]
  readonly Mounts: readonly { readonly Type: string; readonly Source: string; readonly Destination: string }[]
}

export function planContainerTree(containers: readonly ContainerSummary[]): ImageBranch[] {
  const images = [...new Set(containers.map(({ Image }) => Image))].toSorted()
  return images.map((Image) => ({
    Image,
    Containers: containers
      .filter((container) => container.Image === Image)
      .map(branchOf)
      .toSorted((a, b) => (a.Name < b.Name ? -1 : 1)),
  }))
}

function branchOf({ Names, Id, State, Status, Ports, NetworkSettings, Mounts }: ContainerSummary): ContainerBranch {
  const name = Names.map((one) => one.replace(/^\//, '')).find((one) => !one.includes('/'))
  const networks = Object.entries(NetworkSettings?.Networks ?? {})
  return {
    Name: name ?? Id.slice(0, 12),
    ID: Id,
    State,
    Status,
    Ports: formatPorts(Ports),
    Networks: networks.map(([Name, { IPAddress }]) => ({ Name, Address: IPAddress ?? '' })),
    Mounts: (Mounts ?? []).map(({ Type, Name, Source, Destination }) => ({
      Type,
      Source: Name === undefined || Name === '' ? Source : Name,
      Destination,
    })),
  }
}

export function containerTreeNodes(branches: readonly ImageBranch[]): TreeNode[] {
  return branches.map(({ Image, Containers }) => ({ text: Image, children: Containers.map(containerNode) }))
}

function containerNode({ Name, Status, Ports, Networks, Mounts }: ContainerBranch): TreeNode {
  return {
    text: [Name, Status === '' ? 'Created' : Status, ...(Ports === '' ? [] : [Ports])].join('  '),
    children: [
      ...Networks.map((one) => ({ text: `network ${one.Name}${one.Address === '' ? '' : `  ${one.Address}`}` })),
      ...Mounts.map(({ Type, Source, Destination }) => ({ text: `${Type} ${Source} -> ${Destination}` })),
    ],
  }
}
