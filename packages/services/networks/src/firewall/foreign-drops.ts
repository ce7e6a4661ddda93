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
 * Chains of others that drop by their policy what is forwarded, in tables that name none of the `bridges`: what the
 * engine's own table accepts is dropped there.
 */
export function findForeignDrops(ruleset: readonly RulesetEntry[], bridges: readonly string[]): string[] {
  const chains = ruleset.flatMap(({ chain }) => (chain ? [chain as unknown as ForeignChain] : []))
  const drops = chains.filter(
    ({ hook, policy, table, family }) =>
      hook === 'forward' && policy === 'drop' && table !== tableName && ['ip', 'ip6', 'inet'].includes(family),
  )
  return drops
    .filter((chain) => !ruleset.some(({ rule }) => rule && isOf(rule, chain) && names(rule, bridges)))
    .map(({ family, table, name }) => `${family} ${table} ${name}`)
}

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
