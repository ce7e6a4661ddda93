import { forbidden, type Logger, messageOf } from '@berth/base'
import { familiarString } from '@berth/oci'
import { statSync } from 'node:fs'
import type { PullCandidate, PullGate } from '../pull/gate.ts'
import { fetchSignatures } from './fetch-signatures.ts'
import { type Demand, demandOf, readPolicy, type SignaturePolicy } from './policy.ts'
import { verifySignature } from './verify-signature.ts'

/**
 * Lets through what the policy at `path` lets through. It is read now, and again when it has changed; while it is broken
 * nothing may be pulled.
 */
export function openSignatureGate(path: string, logger: Logger): PullGate {
  const policy = followPolicy(path, logger)
  return { admit: async (candidate, signal) => admit(policy(), candidate, signal) }
}

function followPolicy(path: string, logger: Logger): () => SignaturePolicy {
  let policy = readPolicy(path)
  let known = changeMark(path)
  return () => {
    const now = changeMark(path)
    if (now === known) return policy
    policy = readPolicy(path)
    known = now
    logger.info({ path, rules: policy.rules.length }, 'signature policy read again')
    return policy
  }
}

/** Of the file as it is: a file that is put in its place has another. */
function changeMark(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true })
  return `${ino}:${size}:${mtimeNs}`
}

async function admit(policy: SignaturePolicy, candidate: PullCandidate, signal: AbortSignal): Promise<void> {
  const demand = demandOf(policy, candidate.reference)
  const name = familiarString(candidate.reference)
  if (demand.kind === 'nothing') return
  if (demand.kind === 'refusal') throw forbidden(`${name} may not be pulled: the signature policy refuses it`)
  const { signed, problems } = await countSigners(demand, candidate, signal)
  if (signed >= demand.threshold) return
  const wanted = demand.keys.map(({ file }) => file).join(', ')
  const why = problems.length === 0 ? 'it has no signature' : [...new Set(problems)].slice(0, 3).join('; ')
  throw forbidden(
    `${name} may not be pulled: the signature policy wants ${demand.threshold} of the keys ${wanted} ` +
      `to have signed ${candidate.target.digest}: ${why}`,
  )
}

async function countSigners(
  { keys, threshold }: Demand & { kind: 'signatures' },
  { repository, target }: PullCandidate,
  signal: AbortSignal,
): Promise<{ signed: number; problems: string[] }> {
  const signers = new Set<string>()
  const problems: string[] = []
  try {
    for await (const payload of fetchSignatures(repository, target.digest, signal)) {
      const { signers: found, problem } = verifySignature(payload, target.digest, keys)
      // Two files may hold one key, and one key counts once.
      for (const { key } of found) signers.add(String(key.export({ type: 'spki', format: 'pem' })))
      if (problem !== undefined) problems.push(problem)
      if (signers.size >= threshold) break
    }
  } catch (error) {
    signal.throwIfAborted()
    problems.push(`its signatures could not be read: ${messageOf(error)}`)
  }
  return { signed: signers.size, problems }
}
