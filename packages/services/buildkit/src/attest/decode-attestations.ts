import { invalid } from '@berth/base'
import { parseReference } from '@berth/oci'
import type { Attributes } from '../frontend/decode-attributes.ts'

/** `--provenance`: https://docs.docker.com/build/metadata/attestations/slsa-provenance/ */
export interface ProvenanceWish {
  /** `max` tells of arguments, secrets by their ids, and the Dockerfile. */
  readonly mode: 'min' | 'max'
  readonly version: 'v0.2' | 'v1'
  readonly builderId: string
  /** What the user says of the build. */
  readonly isReproducible: boolean
}

/** `--sbom`: https://docs.docker.com/build/metadata/attestations/sbom/ */
export interface SbomWish {
  /** An image that scans another. */
  readonly generator: string
}

/** What shall be said of images. */
export interface AttestationWishes {
  readonly provenance: ProvenanceWish | undefined
  readonly sbom: SbomWish | undefined
}

/**
 * Reads `attest:*`. Clients ask for minimal provenance by themselves, where it costs nothing (`inline-only`): that is no
 * wish of the user's. Throws `invalid` for what is not done.
 */
export function decodeAttestations(attributes: Attributes): AttestationWishes {
  let provenance: ProvenanceWish | undefined
  let sbom: SbomWish | undefined
  for (const [name, value] of Object.entries(attributes)) {
    if (!name.startsWith('attest:')) continue
    const kind = name.slice('attest:'.length)
    const options = decodeOptions(kind, value)
    if (isTrue(kind, 'disabled', options.get('disabled')) || isTrue(kind, 'inline-only', options.get('inline-only')))
      continue
    if (kind === 'provenance') provenance = decodeProvenance(options)
    else if (kind === 'sbom') sbom = decodeSbom(options, attributes)
    else throw invalid(`attestations of the type ${kind} are not supported`)
  }
  return { provenance, sbom }
}

function decodeOptions(kind: string, text: string): ReadonlyMap<string, string> {
  const pairs = text.split(',').filter(Boolean)
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 0) throw invalid(`invalid option ${JSON.stringify(pair)} of attestation ${kind}`)
      return [pair.slice(0, at), pair.slice(at + 1)] as const
    }),
  )
}

const provenanceOptions = ['type', 'mode', 'version', 'builder-id', 'reproducible', 'disabled', 'inline-only']

function decodeProvenance(options: ReadonlyMap<string, string>): ProvenanceWish {
  const unknown = options.keys().find((name) => !provenanceOptions.includes(name))
  if (unknown !== undefined) throw invalid(`option ${unknown} of attestation provenance is not supported`)
  const given = options.get('mode') ?? 'max'
  const mode = given === 'full' ? 'max' : given
  const version = options.get('version') ?? 'v0.2'
  if (mode !== 'min' && mode !== 'max') throw invalid(`invalid mode ${JSON.stringify(mode)}`)
  if (version !== 'v0.2' && version !== 'v1') throw invalid(`unsupported provenance version ${JSON.stringify(version)}`)
  const isReproducible = isTrue('provenance', 'reproducible', options.get('reproducible'))
  return { mode, version, builderId: options.get('builder-id') ?? '', isReproducible }
}

/** BuildKit's own. */
const defaultGenerator = 'docker/buildkit-syft-scanner:stable-1'

function decodeSbom(options: ReadonlyMap<string, string>, attributes: Attributes): SbomWish {
  const unknown = options.keys().find((name) => !['type', 'generator', 'disabled', 'inline-only'].includes(name))
  if (unknown !== undefined) throw invalid(`option ${unknown} of attestation sbom is not supported`)
  for (const name of ['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']) {
    const isAsked = !['', '0', 'f', 'false'].includes((attributes[`build-arg:${name}`] ?? '').toLowerCase())
    if (isAsked) throw invalid(`${name} is not supported: the image itself is scanned`)
  }
  const generator = options.get('generator') || defaultGenerator
  parseReference(generator)
  return { generator }
}

function isTrue(kind: string, name: string, text = 'false'): boolean {
  if (!/^(?:1|t|true|0|f|false)$/i.test(text)) throw invalid(`invalid ${name}=${text} of attestation ${kind}`)
  return /^(?:1|t)/i.test(text)
}
