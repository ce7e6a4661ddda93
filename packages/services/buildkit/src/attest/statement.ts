import type { Attestation } from '@berth/images'
import type { Attested } from '../export/export-outcome.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import { packageUrl } from './package-url.ts'

interface About {
  readonly made: PlatformOutcome
  readonly attested: Attested
}

/** What is said of an image: https://github.com/in-toto/attestation/blob/main/spec/v0.1.0/statement.md */
export function statementOf(predicateType: string, said: object, { made, attested }: About): Attestation {
  const { predicate } = said as { readonly predicate?: unknown }
  const subject = subjectsOf(made, attested)
  const statement = { _type: 'https://in-toto.io/Statement/v0.1', predicateType, subject, predicate }
  return { predicateType, statement: Buffer.from(JSON.stringify(statement)) }
}

/** The image under each of its names; files have none. */
function subjectsOf({ platform }: PlatformOutcome, { manifest, names }: Attested): object[] {
  if (!manifest) return []
  return names.map((name) => ({ name: packageUrl(name, platform), digest: digestSet(manifest.digest) }))
}

export const digestSet = (digest: string): Record<string, string> => {
  const at = digest.indexOf(':')
  return { [digest.slice(0, at)]: digest.slice(at + 1) }
}
