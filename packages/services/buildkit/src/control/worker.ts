import type { PruneRule } from '@berth/builder'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { hostPlatform } from '@berth/oci'
import type { VersionSchema, WorkerSchema } from '../../generated/common_pb.ts'

/** The BuildKit whose services these are. */
export const buildkitVersion: MessageInitShape<typeof VersionSchema> = {
  package: 'github.com/moby/buildkit',
  version: 'v0.25.2+berth',
  revision: '',
}

export interface WorkerFacts {
  readonly id: string
  /** Where `host-gateway` leads to; '' when nowhere. */
  readonly hostGateway: string
}

/** What clients are told of the engine; by the label of a snapshotter they know that it exports caches and archives. */
export function describeWorker(
  { id, hostGateway }: WorkerFacts,
  rules: readonly PruneRule[],
): MessageInitShape<typeof WorkerSchema> {
  const { os, architecture, variant = '' } = hostPlatform()
  return {
    id,
    labels: {
      'org.mobyproject.buildkit.worker.moby.host-gateway-ip': hostGateway,
      'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
    },
    platforms: [{ os, architecture, variant }],
    gcPolicy: rules.map((rule) => ({
      all: rule.all,
      filters: [...rule.filters],
      keepDuration: BigInt(rule.unusedForMs) * 1_000_000n,
      reservedSpace: BigInt(rule.reservedBytes),
      maxUsedSpace: BigInt(rule.maxUsedBytes),
      minFreeSpace: BigInt(rule.minFreeBytes),
    })),
    buildkitVersion,
  }
}
