import { readBakeFiles } from './bake-files.ts'
import { defineBake } from './plan-bake.ts'

/** Targets and groups of the definitions in the current folder, with what describes them. */
export function targetNames(env: Readonly<Record<string, string | undefined>>): { text: string; summary: string }[] {
  const { definition } = defineBake({ files: readBakeFiles([], env), env, variables: [] })
  const groups = definition.groups.map(({ name, description, targets }) => ({
    text: name,
    summary: description ?? targets.join(', '),
  }))
  const targets = definition.targets.map(({ name, fields }) => ({ text: name, summary: fields.description ?? '' }))
  return [...groups, ...targets].filter(({ text }) => !text.startsWith('_'))
}
