import { invalid } from '@berth/base'
import type { BuildRequest, Builder } from '@berth/builder'
import type { Job } from '../jobs/job.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { SbomWish } from './decode-attestations.ts'
import { type Scanned, scanImage } from './scan-image.ts'

export interface Scan {
  /** Undefined: nobody asked. */
  readonly wish: SbomWish | undefined
  /** When one of them cannot be scanned, all are disposed of. */
  readonly made: readonly PlatformOutcome[]
  readonly request: BuildRequest
}

/** Scans what was built for each platform, one after the other. */
export async function scanImages(
  { builder }: { readonly builder: Builder },
  job: Job,
  { wish, made, request }: Scan,
): Promise<ReadonlyMap<PlatformOutcome, Scanned>> {
  const scanned = new Map<PlatformOutcome, Scanned>()
  if (!wish) return scanned
  try {
    requireImageAlone(request.dockerfile)
    for (const one of made) scanned.set(one, await scanImage(builder, job, { wish, made: one, request }))
    return scanned
  } catch (error) {
    for (const { outcome } of made) await outcome[Symbol.asyncDispose]()
    throw error
  }
}

/** What BuildKit scans besides, when a Dockerfile's own arguments say so. */
function requireImageAlone(dockerfile: string): void {
  const [, name] =
    /^[ \t]*ARG\s.*?\b(BUILDKIT_SBOM_SCAN_(?:CONTEXT|STAGE))=(?!(?:0|f|false)?[ \t\r]*$)/im.exec(dockerfile) ?? []
  if (name !== undefined) throw invalid(`${name} is not supported: the image itself is scanned`)
}
