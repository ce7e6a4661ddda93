import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { AnyCommand } from './command.ts'
import type { FlagSet } from './flags/flag.ts'
import { globalFlags } from './global-flags.ts'
import { findCommand } from './registry.ts'

interface Expected {
  readonly path: string
  readonly arguments: string
  readonly aliases: readonly string[]
  readonly flags: readonly string[]
}

/** docker's commands, from the table beside this file. */
function readTable(): Expected[] {
  const text = readFileSync(new URL('parity.txt', import.meta.url), 'utf8').replace(/^#.*\n/gm, '')
  return text
    .trim()
    .split('\n\n')
    .map((block) => {
      const [path = '', ...lines] = block.trim().split('\n')
      const fields = lines.map((line) => line.trim())
      const after = (word: string) => fields.filter((one) => one.startsWith(word)).map((one) => one.slice(word.length))
      const flags = fields.filter((field) => field.startsWith('-'))
      return { path, arguments: after('arguments ')[0] ?? '', aliases: after('also '), flags }
    })
}

/** `-a/--all`, `--since=string`: how the table writes a flag. */
function writeFlags(flags: FlagSet): string[] {
  return Object.values(flags).map(({ name, short, placeholder }) => {
    const names = short === undefined ? `--${name}` : `-${short}/--${name}`
    return placeholder === '' ? names : `${names}=${placeholder}`
  })
}

async function load(path: string): Promise<AnyCommand | undefined> {
  const found = findCommand(path.split(' '))
  if (found === undefined || found.rest.length > 0) return undefined
  return found.entry.load === undefined ? undefined : (await found.entry.load()).command
}

for (const expected of readTable()) {
  const { path } = expected
  test(`docker's ${path} is there with its arguments, names and flags`, async () => {
    if (path === '(root)') return assert.deepEqual(missing(expected.flags, writeFlags(globalFlags)), [])
    if (expected.arguments === 'COMMAND') {
      return assert.notEqual(findCommand(path.split(' '))?.entry.children, undefined)
    }
    const command = await load(path)
    assert.ok(command, path)
    const [usage = ''] = command.usage.split('\n')
    assert.equal(usage.replace(/\[OPTIONS\] ?/, ''), expected.arguments)
    assert.deepEqual(missing(expected.flags, writeFlags(command.flags)), [])
    for (const alias of expected.aliases) assert.equal((await load(alias))?.summary, command.summary, alias)
  })
}

function missing(wanted: readonly string[], there: readonly string[]): string[] {
  return wanted.filter((one) => !there.includes(one))
}
