import type { Built } from '../export/export-outcome.ts'
import type { LoadedBuild } from '../frontend/run-frontend.ts'
import { outlineOf } from '../frontend/outline.ts'
import type { Job } from '../jobs/job.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { Attributes } from '../frontend/decode-attributes.ts'
import type { BuildFacts, NamedWish } from './build-facts.ts'
import type { AttestationWishes } from './decode-attestations.ts'
import { provenance } from './provenance.ts'
import type { Scanned } from './scan-image.ts'

export interface AttestContext {
  readonly job: Job
  readonly attributes: Attributes
  readonly scanned: ReadonlyMap<PlatformOutcome, Scanned>
}

/** What will be said of what a build makes, with what `scanned` says of each; undefined where nothing shall be. */
export function attestsOf(
  wishes: AttestationWishes,
  { request, definition, source }: LoadedBuild,
  { job, attributes, scanned }: AttestContext,
): Built['attests'] {
  const wish = wishes.provenance
  const sboms: Scanned = (made, attested) => scanned.get(made)?.(made, attested) ?? []
  if (!wish) return wishes.sbom && sboms
  const { secrets = [], ssh = [] } = outlineOf(request)
  const facts: BuildFacts = {
    ref: job.ref,
    startedAt: job.startedAt,
    attributes,
    filename: source.filename,
    dockerfile: definition.dockerfile,
    secrets: secrets.map(wishOf),
    ssh: ssh.map(wishOf),
  }
  return (made, attested) => [...sboms(made, attested), provenance(wish, facts, { made, attested })]
}

const wishOf = ({ name, required }: { readonly name: string; readonly required?: boolean }): NamedWish =>
  required ? { id: name } : { id: name, optional: true }
