import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topHelp } from './help.ts'

const names = (text: string): string[] => [...text.matchAll(/^  ([a-z]+) /gm)].map(([, name = '']) => name)

test('topHelp() without legacy commands hides those that a group has, and no others', () => {
  const all = names(topHelp(79))
  const shown = names(topHelp(79, [], true))
  for (const name of ['logs', 'rmi', 'save', 'events', 'attach']) assert.ok(all.includes(name), name)
  const hidden = all.filter((name) => !shown.includes(name))
  assert.deepEqual(
    hidden.join(' '),
    'attach commit cp create diff events export history import kill load logs pause port rename restart rm rmi save ' +
      'start stats stop tag top unpause update wait',
  )
  for (const name of ['run', 'ps', 'container', 'doctor', 'inspect']) assert.ok(shown.includes(name), name)
})
