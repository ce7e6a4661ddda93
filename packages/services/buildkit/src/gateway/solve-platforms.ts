import type { BuildOutcome, BuildRequest } from '@berth/builder'
import { formatPlatform, normalizePlatform, parsePlatform } from '@berth/oci'
import type { FrontendRequest } from '../frontend/decode-attributes.ts'
import type { Job } from '../jobs/job.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { Services } from '../services.ts'

/** Builds for each platform, side by side, in their order; what fails in one stops the others. */
export async function solvePlatforms(
  { builder }: Pick<Services, 'builder'>,
  job: Job,
  request: BuildRequest,
  { platforms, isMultiPlatform }: Pick<FrontendRequest, 'platforms' | 'isMultiPlatform'>,
): Promise<PlatformOutcome[]> {
  const failed = new AbortController()
  const signal = AbortSignal.any([job.signal, failed.signal])
  const solve = async (platform: string): Promise<PlatformOutcome> => {
    const steps = isMultiPlatform ? job.steps.forPlatform(platform) : job.steps
    const one = { ...request, platform, tellsPlatform: isMultiPlatform }
    const outcome = await builder.solve(one, steps.take, signal)
    return { outcome, platform: platformOf(outcome, platform) }
  }
  const solving = platforms.map((platform) => solve(platform))
  try {
    return await Promise.all(solving)
  } catch (error) {
    failed.abort(new DOMException('context canceled', 'AbortError'))
    for (const one of await Promise.allSettled(solving)) {
      if (one.status === 'fulfilled') await one.value.outcome[Symbol.asyncDispose]()
    }
    throw error
  }
}

/** An image may be of another platform than was asked for, where no image of that was at hand. */
const platformOf = ({ state }: BuildOutcome, wanted: string): PlatformOutcome['platform'] =>
  wanted === '' ? normalizePlatform(state.platform) : normalizePlatform(parsePlatform(wanted))

/** By which clients tell results of several platforms apart. */
export const platformKey = ({ platform }: Pick<PlatformOutcome, 'platform'>): string => formatPlatform(platform)
