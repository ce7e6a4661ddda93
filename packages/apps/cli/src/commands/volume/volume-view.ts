import type { VolumeResponse } from '@berth/engine-api'
import { formatLabels } from '../../output/labels.ts'
import { humanSize } from '../../output/units.ts'
import type { View } from '../../output/view.ts'

const unknown = 'N/A'

/** The columns of volume ls. What only volumes of a swarm have is N/A. */
export const volumeView: View<VolumeResponse> = {
  goType: '*formatter.volumeContext',
  raw: { name: 'Name', driver: 'Driver' },
  columns: {
    Name: { header: 'VOLUME NAME', value: ({ Name }) => Name },
    Driver: { header: 'DRIVER', value: ({ Driver }) => Driver },
    Scope: { header: 'SCOPE', value: ({ Scope }) => Scope },
    Mountpoint: { header: 'MOUNTPOINT', value: ({ Mountpoint }) => Mountpoint },
    Labels: { header: 'LABELS', value: ({ Labels }) => formatLabels(Labels) },
    Links: { header: 'LINKS', value: ({ UsageData }) => (UsageData ? String(UsageData.RefCount) : unknown) },
    Size: { header: 'SIZE', value: ({ UsageData }) => (UsageData ? humanSize(UsageData.Size) : unknown) },
    Group: { header: 'GROUP', value: () => unknown },
    Availability: { header: 'AVAILABILITY', value: () => unknown },
    Status: { header: 'STATUS', value: () => unknown },
  },
  methods: { Label: ({ Labels }, name) => (Object.hasOwn(Labels ?? {}, name) ? Labels?.[name] : '') },
}
