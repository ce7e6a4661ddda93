import { messageOf } from '@berth/base'
import { decode, type Digest } from '@berth/oci'
import { verify } from 'node:crypto'
import type { TrustedKey } from './policy.ts'

/** What cosign stores: a payload, and its signature in base64. */
export interface SignedPayload {
  readonly payload: Buffer
  readonly signature: string
}

const { member, parseJson, string } = decode
const payloadType = 'cosign container image signature'

/**
 * The keys that have signed `digest` with this payload (simple signing:
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md); or why there is none.
 */
export function verifySignature(
  { payload, signature }: SignedPayload,
  digest: Digest,
  keys: readonly TrustedKey[],
): { readonly signers: readonly TrustedKey[]; readonly problem?: string } {
  const bytes = Buffer.from(signature, 'base64')
  const signers = keys.filter(({ key }) => isSignature(payload, bytes, key))
  if (signers.length === 0) return { signers, problem: 'a signature is of none of the keys' }
  // Only what one of the keys has signed is worth being read.
  try {
    const critical = member(parseJson(payload, 'payload'), 'critical')
    const type = string(member(critical, 'type'))
    if (type !== payloadType) return { signers: [], problem: `a signature is of another kind: ${JSON.stringify(type)}` }
    const signed = string(member(member(critical, 'image'), 'docker-manifest-digest'))
    if (signed !== digest) return { signers: [], problem: `a signature is of ${signed}` }
    return { signers }
  } catch (error) {
    return { signers: [], problem: `a signature has no payload: ${messageOf(error)}` }
  }
}

/** ECDSA as ASN.1 over SHA-256; Ed25519 over the payload itself. */
function isSignature(payload: Buffer, signature: Buffer, key: TrustedKey['key']): boolean {
  try {
    return verify(key.asymmetricKeyType === 'ec' ? 'sha256' : null, payload, key, signature)
  } catch {
    return false
  }
}
