import { parseCaches, parseOutput, parseSecret, parseSsh, withoutDuplicates } from '../definition/entries.ts'
import type { TargetFields } from '../definition/target.ts'
import { asPairs, asTexts, type Mapping } from './mapping.ts'
import { buildkitContext } from './service-target.ts'

/** A list, or words in one text. */
function wordsOf(node: unknown, where: string): string[] {
  if (node === undefined || node === null) return []
  return typeof node === 'string' ? node.split(/\s+/).filter((word) => word !== '') : asTexts(node, where)
}

/** What compose has no word for is in `x-bake`: it is added to what the service says. */
export function extendByBake(fields: TargetFields, given: Mapping, where: string): TargetFields {
  const words = (key: string): string[] => wordsOf(given[key], `${where}.${key}`)
  const append = <T>(before: readonly T[] | undefined, added: readonly T[]): { value?: readonly T[] } =>
    added.length === 0 ? {} : { value: withoutDuplicates([...(before ?? []), ...added]) }
  const unique = (before: readonly string[] | undefined, added: readonly string[]): { value?: readonly string[] } =>
    added.length === 0 ? {} : { value: [...new Set([...(before ?? []), ...added])] }
  const contexts = asPairs(given['contexts'], `${where}.contexts`).map(([name, value]): [string, string] => [
    name,
    buildkitContext(value ?? ''),
  ])
  const changes: Record<string, { value?: unknown }> = {
    tags: unique(fields.tags, words('tags')),
    'cache-from': append(fields['cache-from'], words('cache-from').flatMap(parseCaches)),
    'cache-to': append(fields['cache-to'], words('cache-to').flatMap(parseCaches)),
    secret: append(fields.secret, words('secret').map(parseSecret)),
    ssh: append(fields.ssh, words('ssh').map(parseSsh)),
    platforms: unique(fields.platforms, words('platforms')),
    output: append(fields.output, words('output').map(parseOutput)),
    pull: typeof given['pull'] === 'boolean' ? { value: given['pull'] } : {},
    'no-cache': typeof given['no-cache'] === 'boolean' ? { value: given['no-cache'] } : {},
    'no-cache-filter': unique(fields['no-cache-filter'], words('no-cache-filter')),
    contexts: contexts.length === 0 ? {} : { value: new Map([...contexts, ...(fields.contexts ?? [])]) },
  }
  const changed = Object.entries(changes).filter(([, change]) => 'value' in change)
  return { ...fields, ...Object.fromEntries(changed.map(([name, { value }]) => [name, value])) }
}
