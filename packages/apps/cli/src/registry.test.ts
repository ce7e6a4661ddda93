import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from './registry-entry.ts'
import { findCommand, groups } from './registry.ts'

function entries(): [path: string, entry: Entry][] {
  const top = groups.flatMap((group) => Object.entries(group.commands))
  return top.flatMap(([name, entry]) => {
    const children = Object.entries(entry.children ?? {}).map(([child, inner]): [string, Entry] => [
      `${name} ${child}`,
      inner,
    ])
    return [[name, entry] as [string, Entry], ...children]
  })
}

test('every command loads, says what the list says, and names its aliases truly', async () => {
  for (const [path, entry] of entries()) {
    if (entry.load === undefined) continue
    const { command } = await entry.load()
    assert.equal(command.summary, entry.summary, path)
    for (const alias of command.aliases ?? []) {
      assert.equal(findCommand(alias.split(' '))?.entry.summary, entry.summary, `${path}: ${alias}`)
    }
  }
})

test('findCommand() calls a command by the name that the lists have', () => {
  assert.deepEqual(findCommand(['container', 'list', '-a'])?.path, ['container', 'ls'])
  assert.deepEqual(findCommand(['volume', 'remove', 'x'])?.path, ['volume', 'rm'])
  assert.deepEqual(findCommand(['volume', 'update', 'x'])?.path, ['volume', 'update'])
})

test('findCommand() prefers the longer path and hands on the rest', () => {
  assert.deepEqual(findCommand(['container', 'ls', '-a'])?.path, ['container', 'ls'])
  assert.deepEqual(findCommand(['ps', 'ls'])?.rest, ['ls'])
  assert.equal(findCommand(['constructor']), undefined)
  assert.equal(findCommand([]), undefined)
})
