import { ComposeError } from './compose-error.ts'

/** A mapping of a YAML file. */
export type Mapping = Readonly<Record<string, unknown>>

const isMapping = (node: unknown): node is Mapping => typeof node === 'object' && node !== null && !Array.isArray(node)

/** What is missing is an empty mapping. */
export function asMapping(node: unknown, where: string): Mapping {
  if (node === undefined || node === null) return {}
  if (isMapping(node)) return node
  throw new ComposeError(`${where} must be a mapping`)
}

export function asList(node: unknown, where: string): readonly unknown[] {
  if (node === undefined || node === null) return []
  if (Array.isArray(node)) return node
  throw new ComposeError(`${where} must be a array`)
}

export function asText(node: unknown, where: string): string {
  if (typeof node === 'string') return node
  if (typeof node === 'number' || typeof node === 'boolean') return String(node)
  throw new ComposeError(`${where} must be a string`)
}

export const asTexts = (node: unknown, where: string): string[] =>
  asList(node, where).map((item, index) => asText(item, `${where}.${index}`))

/** A mapping, or a list of `name=value`; a name alone, or null, is undefined. */
export function asPairs(node: unknown, where: string): [name: string, value: string | undefined][] {
  if (!Array.isArray(node)) {
    return Object.entries(asMapping(node, where)).map(([name, value]) => [
      name,
      value === null ? undefined : asText(value, `${where}.${name}`),
    ])
  }
  return asTexts(node, where).map((text) => {
    const at = text.indexOf('=')
    return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
  })
}

/** A later file over an earlier one: mappings by key, lists one after the other. */
export function mergeMappings(before: Mapping, after: Mapping): Mapping {
  const merged: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined) continue
    const known = merged[key]
    if (key === 'build' && (typeof known === 'string' || typeof value === 'string')) {
      merged[key] = mergeMappings(longBuild(known), longBuild(value))
    } else if (isMapping(known) && isMapping(value)) merged[key] = mergeMappings(known, value)
    else if (Array.isArray(known) && Array.isArray(value))
      merged[key] = [...new Set([...(known as unknown[]), ...(value as unknown[])])]
    else if (key === 'args' && known !== undefined)
      merged[key] = Object.fromEntries([...pairsOf(known), ...pairsOf(value)])
    else merged[key] = value
  }
  return merged
}

const pairsOf = (node: unknown): [string, unknown][] =>
  asPairs(node, 'args').map(([name, value]) => [name, value ?? null])

/** `build: dir` is short for `build: { context: dir }`. */
export const longBuild = (node: unknown): Mapping =>
  typeof node === 'string' ? { context: node } : asMapping(node, 'build')
