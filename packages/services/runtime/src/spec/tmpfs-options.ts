import { invalid } from '@berth/base'

/** Options of which at most one holds. */
const groups: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['exec', 'noexec'],
  ['sync', 'async'],
  ['mand', 'nomand'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['relatime', 'norelatime'],
  ['strictatime', 'nostrictatime'],
  ['dirsync'],
  ['defaults'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
]
const groupOf = new Map(groups.flatMap((group, index) => group.map((option) => [option, index] as const)))

/** Options of tmpfs(5) with a value. */
const withValue = new Set(['gid', 'inode32', 'inode64', 'mode', 'mpol', 'nr_blocks', 'nr_inodes', 'size', 'uid'])

/** `options` without those that later ones overrule; throws `invalid` for one that tmpfs does not know. */
export function mergeTmpfsOptions(options: readonly string[]): string[] {
  const seen = new Set<number | string>()
  const merged: string[] = []
  for (const option of options.toReversed()) {
    const key = keyOf(option)
    if (seen.has(key)) continue
    seen.add(key)
    if (option !== 'defaults') merged.unshift(option)
  }
  return merged
}

function keyOf(option: string): number | string {
  const group = groupOf.get(option)
  if (group !== undefined) return group
  const [name = '', value] = option.split('=', 2)
  if (!withValue.has(name)) throw invalid(`invalid tmpfs option ${JSON.stringify(name)}`)
  if (!value) throw invalid(`invalid tmpfs option ${JSON.stringify(option)}`)
  return name
}
