import type { ContainerSummary, PortSummary } from '@berth/engine-api'
import { formatLabels } from '../../output/labels.ts'
import { ellipsis, shortId } from '../../output/text.ts'
import { ago, goTime, humanSize } from '../../output/units.ts'
import type { View } from '../../output/view.ts'

const commandColumns = 20

/** The columns of ps. */
export function containerView(truncate: boolean): View<ContainerSummary> {
  const id = (container: ContainerSummary): string => (truncate ? shortId(container.Id) : container.Id)
  return {
    goType: '*formatter.ContainerContext',
    problems: { parse: 'failed to parse template', execute: 'failed to execute template' },
    raw: {
      container_id: 'ID',
      image: 'Image',
      command: 'Command',
      created_at: 'CreatedAt',
      state: 'State',
      status: 'Status',
      names: 'Names',
      labels: 'Labels',
      ports: 'Ports',
      size: 'Size',
    },
    columns: {
      ID: { header: 'CONTAINER ID', value: id },
      Names: { header: 'NAMES', value: (container) => names(container, truncate) },
      Image: { header: 'IMAGE', value: (container) => image(container, truncate) },
      Command: {
        header: 'COMMAND',
        value: ({ Command }) => quoteCommand(truncate ? ellipsis(Command, commandColumns) : Command),
      },
      CreatedAt: { header: 'CREATED AT', value: ({ Created }) => goTime(Created) },
      RunningFor: { header: 'CREATED', value: ({ Created }) => ago(Created) },
      Ports: { header: 'PORTS', value: ({ Ports }) => formatPorts(Ports) },
      // Known only to engines that keep images of several platforms under one name.
      Platform: { header: 'PLATFORM', value: () => null },
      State: { header: 'STATE', value: ({ State }) => State },
      Status: { header: 'STATUS', value: ({ Status }) => Status },
      Size: { header: 'SIZE', value: formatSize },
      Labels: { header: 'LABELS', value: ({ Labels }) => formatLabels(Labels) },
      Mounts: { header: 'MOUNTS', value: (container) => mounts(container, truncate) },
      LocalVolumes: { header: 'LOCAL VOLUMES', value: countLocalVolumes },
      Networks: {
        header: 'NETWORKS',
        value: ({ NetworkSettings }) => Object.keys(NetworkSettings?.Networks ?? {}).join(','),
      },
    },
    methods: { Label: ({ Labels }, name) => (Object.hasOwn(Labels ?? {}, name) ? Labels[name] : '') },
  }
}

/** Without truncation the names by links are shown too. */
function names({ Names }: ContainerSummary, truncate: boolean): string {
  const plain = Names.map((name) => name.replace(/^\//, ''))
  if (!truncate) return plain.join(',')
  return plain.find((name) => !name.includes('/')) ?? plain.join(',')
}

function image({ Image, ImageID }: ContainerSummary, truncate: boolean): string {
  if (Image === '') return '<no image>'
  if (!truncate) return Image
  if (shortId(Image) === shortId(ImageID)) return shortId(Image)
  // A tag says enough: the digest behind it is left out.
  return /^(.+:[\w][\w.-]*)@sha256:[0-9a-f]{64}$/.exec(Image)?.[1] ?? Image
}

function quoteCommand(command: string): string {
  return JSON.stringify(command)
}

function formatSize({ SizeRw, SizeRootFs }: ContainerSummary): string {
  const virtual = (SizeRootFs ?? 0) > 0 ? ` (virtual ${humanSize(SizeRootFs ?? 0, 3)})` : ''
  return humanSize(SizeRw ?? 0, 3) + virtual
}

function mounts({ Mounts }: ContainerSummary, truncate: boolean): string {
  const titles = (Mounts ?? []).map(({ Name, Source }) => (Name === undefined || Name === '' ? Source : Name))
  return titles.map((title) => (truncate ? ellipsis(title, 15) : title)).join(',')
}

function countLocalVolumes({ Mounts }: ContainerSummary): string {
  return String((Mounts ?? []).filter(({ Driver }) => Driver === 'local').length)
}

/** `0.0.0.0:80->80/tcp, 7070-7072/tcp`: consecutive ports that map to themselves are joined. */
export function formatPorts(ports: readonly PortSummary[]): string {
  const done: string[] = []
  const mapped: string[] = []
  const open = new Map<string, Run>()
  for (const port of (ports ?? []).toSorted(comparePorts)) {
    const ip = port.IP ?? ''
    if (ip !== '' && port.PublicPort !== port.PrivatePort) {
      mapped.push(`${hostPort(ip, String(port.PublicPort))}->${port.PrivatePort}/${port.Type}`)
      continue
    }
    const key = `${ip}/${port.Type}`
    const run = open.get(key)
    if (run !== undefined && port.PrivatePort === run.last + 1) run.last++
    else {
      if (run !== undefined) done.push(formatRun(run))
      open.delete(key)
      open.set(key, { ip, type: port.Type, first: port.PrivatePort, last: port.PrivatePort })
    }
  }
  return [...done, ...[...open.values()].map(formatRun), ...mapped].join(', ')
}

interface Run {
  readonly ip: string
  readonly type: string
  readonly first: number
  last: number
}

function formatRun({ ip, type, first, last }: Run): string {
  const range = first === last ? String(first) : `${first}-${last}`
  return `${ip === '' ? range : `${hostPort(ip, range)}->${range}`}/${type}`
}

function hostPort(ip: string, port: string): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`
}

function comparePorts(a: PortSummary, b: PortSummary): number {
  return (
    a.PrivatePort - b.PrivatePort ||
    compareText(a.IP ?? '', b.IP ?? '') ||
    (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
    compareText(a.Type, b.Type)
  )
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
