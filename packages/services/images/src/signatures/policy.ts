import { invalid, messageOf } from '@berth/base'
import { decode, nameOf, type Reference } from '@berth/oci'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** What images of one kind of name need to be pulled. */
export type Demand =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refusal' }
  /** Valid signatures of so many of these keys. */
  | { readonly kind: 'signatures'; readonly keys: readonly TrustedKey[]; readonly threshold: number }

export interface TrustedKey {
  /** As the policy names it. */
  readonly file: string
  readonly key: KeyObject
}

interface Rule {
  readonly patterns: readonly RegExp[]
  readonly demand: Demand
}

export interface SignaturePolicy {
  readonly rules: readonly Rule[]
  readonly otherwise: Demand
}

const { array, integer, member, object, optional, parseJson, string } = decode

/**
 * Reads a policy and its keys (docs/registry.md#signatures). Throws `invalid` naming what is wrong: an unknown member is,
 * for a misspelt demand would demand nothing.
 */
export function readPolicy(path: string): SignaturePolicy {
  try {
    const place = parseJson(readFileSync(path), 'policy')
    requireKnown(place, ['rules', 'default'])
    const key = (name: string): TrustedKey => readKey(resolve(dirname(path), name), name)
    const rules = array(member(place, 'rules'), (at) => toRule(at, key))
    const { default: otherwise = 'allow' } = optional(place, 'default', string)
    if (otherwise !== 'allow' && otherwise !== 'refuse') throw invalid('default: want "allow" or "refuse"')
    return { rules, otherwise: otherwise === 'allow' ? { kind: 'nothing' } : { kind: 'refusal' } }
  } catch (error) {
    throw invalid(`signature policy ${path}: ${messageOf(error)}`, error)
  }
}

/** The demand of the first rule that knows the name. */
export function demandOf({ rules, otherwise }: SignaturePolicy, reference: Reference): Demand {
  const name = nameOf(reference)
  return rules.find(({ patterns }) => patterns.some((pattern) => pattern.test(name)))?.demand ?? otherwise
}

function toRule(place: decode.Place, key: (name: string) => TrustedKey): Rule {
  requireKnown(place, ['images', 'require', 'keys', 'threshold'])
  const patterns = array(member(place, 'images'), (at) => toPattern(string(at)))
  if (patterns.length === 0) throw invalid(`${place.path}.images: names no image`)
  return { patterns, demand: toDemand(place, key) }
}

function toDemand(place: decode.Place, key: (name: string) => TrustedKey): Demand {
  const wanted = string(member(place, 'require'))
  const { keys, threshold = 1 } = {
    ...optional(place, 'keys', (at) => array(at, string)),
    ...optional(place, 'threshold', integer),
  }
  if (wanted === 'signature') {
    if (keys === undefined || keys.length === 0) throw invalid(`${place.path}.keys: a signature needs a key`)
    const trusted = keys.map(key)
    const different = new Set(trusted.map(({ key: one }) => one.export({ type: 'spki', format: 'pem' }))).size
    if (threshold < 1 || threshold > different) {
      throw invalid(`${place.path}.threshold: ${threshold} of ${different} different keys`)
    }
    return { kind: 'signatures', keys: trusted, threshold }
  }
  if (wanted !== 'nothing' && wanted !== 'refusal') {
    throw invalid(`${place.path}.require: want "signature", "nothing" or "refusal", not ${JSON.stringify(wanted)}`)
  }
  if (keys !== undefined) throw invalid(`${place.path}.keys: only "require": "signature" has keys`)
  return { kind: wanted }
}

function requireKnown(place: decode.Place, names: readonly string[]): void {
  const unknown = Object.keys(object(place)).find((name) => !names.includes(name))
  if (unknown !== undefined) throw invalid(`${place.path}: unknown member ${JSON.stringify(unknown)}`)
}

/** `*` stands for one component of a name or a part of it, `**` for any number of them. */
function toPattern(text: string): RegExp {
  if (!/^[\w.:/*[\]-]+$/.test(text)) throw invalid(`images: ${JSON.stringify(text)} is no pattern of names`)
  const source = text
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.[\]]/g, '\\$&')))
    .join('')
  return new RegExp(`^${source}$`)
}

/** Keys are small; what is something else is not read whole. */
const mostKeyBytes = 64 * 1024

function readKey(path: string, name: string): TrustedKey {
  if (statSync(path).size > mostKeyBytes) throw invalid(`key ${name}: too large`)
  const key = createPublicKey(readFileSync(path))
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ed25519' || (type === 'ec' && details?.namedCurve === 'prime256v1')) return { file: name, key }
  throw invalid(`key ${name}: want ECDSA on P-256 or Ed25519, not ${details?.namedCurve ?? type}`)
}
