import { listRuleset } from '@berth/linux'
import { tableName } from './elements.ts'

interface ForeignChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly hook?: string | undefined
  readonly policy?: string | undefined
}

/** nft's JSON, as libnftables-json(5) has it: objects of one key. */
export type RulesetEntry = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/**
 * Chains of others that drop what is forwarded, by their policy (ufw) or by a last rule (firewalld), in tables that name
 * none of the `bridges`: what the engine's own table accepts is dropped there.
 */
export function findForeignDrops(ruleset: readonly RulesetEntry[], bridges: readonly string[]): string[] {
  const chains = ruleset.flatMap(({ chain }) => (chain ? [chain as unknown as ForeignChain] : []))
  const foreign = chains.filter(
    ({ hook, table, family }) => hook === 'forward' && table !== tableName && ['ip', 'ip6', 'inet'].includes(family),
  )
  return foreign
    .filter((chain) => chain.policy === 'drop' || endsInDrop(ruleset, chain))
    .filter((chain) => !ruleset.some(({ rule }) => rule && isOf(rule, chain) && names(rule, bridges)))
    .map(({ family, table, name }) => `${family} ${table} ${name}`)
}

function endsInDrop(ruleset: readonly RulesetEntry[], chain: ForeignChain): boolean {
  const last = ruleset.findLast(({ rule }) => rule && isOf(rule, chain) && rule['chain'] === chain.name)
  const statements = (last?.['rule']?.['expr'] ?? []) as readonly Statement[]
  const verdict = statements.at(-1)
  return verdict !== undefined && isDrop(verdict) && statements.slice(0, -1).every(isAside)
}

type Statement = Readonly<Record<string, unknown>>

/** REJECT of iptables-nft is a foreign statement where nft does not translate it. */
const isDrop = (statement: Statement): boolean =>
  'drop' in statement || 'reject' in statement || (statement['xt'] as Statement | undefined)?.['name'] === 'REJECT'

/** Statements that any packet passes. */
const isAside = (statement: Statement): boolean => 'counter' in statement || 'log' in statement

const isOf = (rule: Readonly<Record<string, unknown>>, { family, table }: ForeignChain): boolean =>
  rule['family'] === family && rule['table'] === table

/** A bridge by its name, or by a pattern such as `br-*`. */
function names(rule: Readonly<Record<string, unknown>>, bridges: readonly string[]): boolean {
  const texts = [...JSON.stringify(rule['expr'] ?? []).matchAll(/"([\w.-]+\*?)"/g)].map(([, text = '']) => text)
  return texts.some((text) =>
    bridges.some((bridge) => (text.endsWith('*') ? bridge.startsWith(text.slice(0, -1)) : bridge === text)),
  )
}

/** What to tell the user of them; none where nft says nothing. */
export async function foreignDropWarnings(bridges: readonly string[]): Promise<string[]> {
  const ruleset = await listRuleset().catch(() => undefined)
  if (!ruleset) return []
  const drops = findForeignDrops((ruleset as { nftables?: RulesetEntry[] }).nftables ?? [], bridges)
  return drops.map(
    (chain) =>
      `WARNING: the chain "${chain}" of the host's firewall drops what it does not accept: containers reach other hosts, ` +
      `and are reached by published ports, only after it accepts the bridges ${bridges.join(', ')}`,
  )
}
