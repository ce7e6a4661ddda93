import type { NetworkResponse } from '@berth/engine-api'
import { formatLabels } from '../../output/labels.ts'
import { shortId } from '../../output/text.ts'
import { goTimestamp } from '../../output/units.ts'
import type { View } from '../../output/view.ts'

/** The columns of network ls. */
export function networkView(truncate: boolean): View<NetworkResponse> {
  return {
    goType: '*network.networkContext',
    raw: { network_id: 'ID', name: 'Name', driver: 'Driver', scope: 'Scope' },
    columns: {
      ID: { header: 'NETWORK ID', value: ({ Id }) => (truncate ? shortId(Id) : Id) },
      Name: { header: 'NAME', value: ({ Name }) => Name },
      Driver: { header: 'DRIVER', value: ({ Driver }) => Driver },
      Scope: { header: 'SCOPE', value: ({ Scope }) => Scope },
      IPv4: { header: 'IPV4', value: ({ EnableIPv4 }) => String(EnableIPv4) },
      IPv6: { header: 'IPV6', value: ({ EnableIPv6 }) => String(EnableIPv6) },
      Internal: { header: 'INTERNAL', value: ({ Internal }) => String(Internal) },
      Labels: { header: 'LABELS', value: ({ Labels }) => formatLabels(Labels) },
      CreatedAt: { header: 'CREATED AT', value: ({ Created }) => goTimestamp(Created) },
    },
    methods: { Label: ({ Labels }, name) => (Object.hasOwn(Labels ?? {}, name) ? Labels[name] : '') },
  }
}
