import type { PruneRule } from '@berth/builder'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { Platform } from '@berth/oci'
import type { VersionSchema, WorkerSchema } from '@berth/buildkit-protocol'
import type { Services } from '../services.ts'

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

/** The same, with what the builder knows. */
export const askWorker = async ({ builder, worker }: Pick<Services, 'builder' | 'worker'>) =>
  describeWorker(worker(), { rules: builder.cacheRules(), platforms: await builder.platforms() })

/** What clients are told of the engine; by the label of a snapshotter they know that it exports caches and archives. */
function describeWorker(
  { id, hostGateway }: WorkerFacts,
  { rules, platforms }: { readonly rules: readonly PruneRule[]; readonly platforms: readonly Platform[] },
): MessageInitShape<typeof WorkerSchema> {
  return {
    id,
    labels: {
      'org.mobyproject.buildkit.worker.moby.host-gateway-ip': hostGateway,
      'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
    },
    platforms: platforms.map(({ os, architecture, variant = '' }) => ({ os, architecture, variant })),
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
