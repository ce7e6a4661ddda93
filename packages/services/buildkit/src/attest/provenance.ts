import type { Material } from '@berth/builder'
import type { Attestation } from '@berth/images'
import { formatPlatform, hostPlatform, normalizePlatform } from '@berth/oci'
import type { Attested } from '../export/export-outcome.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import { type BuildFacts, localDirectories, toldArguments, versionControl, withoutPassword } from './build-facts.ts'
import type { ProvenanceWish } from './decode-attestations.ts'
import { packageUrl } from './package-url.ts'
import { digestSet, statementOf } from './statement.ts'

/** How and of what an image was made, as BuildKit tells it: https://slsa.dev/spec/v0.2/provenance, and v1. */
export function provenance(
  wish: ProvenanceWish,
  facts: BuildFacts,
  { made, attested }: { readonly made: PlatformOutcome; readonly attested: Attested },
): Attestation {
  const told = { wish, facts, materials: made.outcome.materials, finishedAt: new Date().toISOString() }
  const predicateType = `https://slsa.dev/provenance/${wish.version}`
  const predicate = wish.version === 'v1' ? predicateV1(told) : predicateV02(told)
  return statementOf(predicateType, { predicate }, { made, attested })
}

interface Told {
  readonly wish: ProvenanceWish
  readonly facts: BuildFacts
  readonly materials: readonly Material[]
  readonly finishedAt: string
}

function predicateV02(told: Told): object {
  const { wish, facts, materials, finishedAt } = told
  return {
    builder: { id: wish.builderId },
    buildType: 'https://mobyproject.org/buildkit@v1',
    materials: materials.map(materialOf),
    invocation: {
      configSource: { ...sourceUri(facts), entryPoint: facts.filename },
      parameters: parametersOf(told),
      environment: { platform: builderPlatform() },
    },
    metadata: {
      buildInvocationID: facts.ref,
      buildStartedOn: facts.startedAt,
      buildFinishedOn: finishedAt,
      completeness: { parameters: wish.mode === 'max', environment: true, materials: false },
      reproducible: wish.isReproducible,
      'https://mobyproject.org/buildkit@v1#metadata': ownMetadata(told),
    },
  }
}

function predicateV1(told: Told): object {
  const { wish, facts, materials, finishedAt } = told
  return {
    buildDefinition: {
      buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
      externalParameters: {
        configSource: { ...sourceUri(facts), path: facts.filename },
        request: parametersOf(told),
      },
      internalParameters: { builderPlatform: builderPlatform() },
      resolvedDependencies: materials.map(materialOf),
    },
    runDetails: {
      builder: { id: wish.builderId },
      metadata: {
        invocationId: facts.ref,
        startedOn: facts.startedAt,
        finishedOn: finishedAt,
        buildkit_metadata: ownMetadata(told),
        buildkit_completeness: { request: wish.mode === 'max', resolvedDependencies: false },
        ...(wish.isReproducible && { buildkit_reproducible: true }),
      },
    },
  }
}

const materialOf = ({ name, platform, digest }: Material): object => ({
  uri: packageUrl(name, platform),
  digest: digestSet(digest),
})

const builderPlatform = (): string => formatPlatform(normalizePlatform(hostPlatform()))

/** Where the context is from, when that is not the client. */
function sourceUri({ attributes }: BuildFacts): { readonly uri?: string } {
  const { context } = attributes
  return context === undefined || context.startsWith('http://buildkit-session/')
    ? {}
    : { uri: withoutPassword(context) }
}

function parametersOf({ wish, facts }: Told): object {
  const { attributes, secrets, ssh } = facts
  const args = toldArguments(attributes)
  const isTold = wish.mode === 'max'
  return {
    frontend: 'dockerfile.v0',
    ...(isTold && Object.keys(args).length > 0 && { args }),
    ...(isTold && secrets.length > 0 && { secrets }),
    ...(isTold && ssh.length > 0 && { ssh }),
    locals: localDirectories(attributes),
  }
}

function ownMetadata({ wish, facts }: Told): object {
  const { attributes, filename, dockerfile } = facts
  const vcs = versionControl(attributes)
  const infos = [{ filename, language: 'Dockerfile', data: Buffer.from(dockerfile).toString('base64') }]
  return {
    ...(Object.keys(vcs).length > 0 && { vcs }),
    ...(wish.mode === 'max' && { source: { infos } }),
  }
}
