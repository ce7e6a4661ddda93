import { isKind, type Logger, randomId } from '@berth/base'
import type { Builder, Entitlement } from '@berth/builder'
import type { Buildkit, BuildkitOptions } from '@berth/buildkit'
import type { Images } from '@berth/images'
import type { Networks } from '@berth/networks'

export interface BuildkitOnDemandOptions {
  readonly builder: Builder
  readonly images: Images
  readonly networks: Pick<Networks, 'describe'>
  readonly logger: Logger
  /** What clients may grant their builds. */
  readonly entitlements: () => readonly Entitlement[]
  readonly historyLimits: BuildkitOptions['historyLimits']
}

/** BuildKit's doors, loaded with the first client that wants them: most engines build nothing. */
export function buildkitOnDemand({ networks, ...services }: BuildkitOnDemandOptions): AsyncDisposable & {
  get(): Promise<Buildkit>
} {
  let open: Promise<Buildkit> | undefined
  const id = randomId()
  const load = async () => {
    const { openBuildkit } = await import('@berth/buildkit')
    return openBuildkit({ ...services, worker: () => ({ id, hostGateway: hostGatewayOf(networks) }) })
  }
  return {
    get: () => (open ??= load()),
    [Symbol.asyncDispose]: async () => (await open)?.[Symbol.asyncDispose](),
  }
}

/** The bridge's own address, which is what containers reach the host by; '' without a bridge. */
function hostGatewayOf(networks: Pick<Networks, 'describe'>): string {
  try {
    return networks.describe('bridge').IPAM?.Config?.find(({ Gateway }) => Gateway)?.Gateway ?? ''
  } catch (error) {
    if (isKind(error, 'notFound')) return ''
    throw error
  }
}
