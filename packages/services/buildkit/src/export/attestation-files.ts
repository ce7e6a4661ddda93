import { invalid } from '@berth/base'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { Built, Export } from './export-outcome.ts'

/** Files beside what was built, in their own folder's top. */
export interface ExtraFile {
  readonly path: string
  readonly content: Buffer
}

const names: readonly (readonly [predicateType: string, name: string])[] = [
  ['https://slsa.dev/provenance/', 'provenance.json'],
  ['https://spdx.dev/', 'sbom.spdx.json'],
]

/** What is said of files that are exported as files: `provenance.json`, with `attestation-prefix` before it. */
export function attestationFiles({ attests }: Built, made: PlatformOutcome, { attributes }: Export): ExtraFile[] {
  const prefix = attributes['attestation-prefix'] ?? ''
  if (prefix.includes('/') || prefix.includes('\0'))
    throw invalid(`invalid attestation-prefix: ${JSON.stringify(prefix)}`)
  return (attests?.(made, { manifest: undefined, names: [] }) ?? []).map(({ predicateType, statement }) => {
    const [, name = 'attestation.json'] = names.find(([start]) => predicateType.startsWith(start)) ?? []
    return { path: prefix + name, content: statement }
  })
}
