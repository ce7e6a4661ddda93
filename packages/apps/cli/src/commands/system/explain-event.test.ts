import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventMessage } from '@berth/engine-api'
import { EventExplainer } from './explain-event.ts'

function event(Type: string, Action: string, Attributes: Record<string, string> = {}): EventMessage {
  return { Type, Action, Actor: { ID: 'c1', Attributes: { name: 'web', ...Attributes } } } as unknown as EventMessage
}

function explain(...events: EventMessage[]): (string | undefined)[] {
  const explainer = new EventExplainer()
  const explanations = events.map((one) => explainer.explain(one))
  return explanations.flatMap(({ text, advice }) => (advice === undefined ? [text] : [text, advice]))
}

test('EventExplainer understands a death by what came before', () => {
  assert.deepEqual(explain(event('container', 'die', { exitCode: '0' })), ['container web ended well'])
  assert.deepEqual(
    explain(event('container', 'kill', { signal: '15' }), event('container', 'die', { exitCode: '143' })),
    [
      'container web was sent signal 15',
      'container web ended with exit code 143: by SIGTERM, after signal 15 from a client',
    ],
  )
  assert.deepEqual(explain(event('container', 'oom'), event('container', 'die', { exitCode: '137' })).slice(2), [
    'container web was killed: it was out of memory (exit code 137)',
    'raise its limit (berth update --memory SIZE web) or make it need less',
  ])
  assert.deepEqual(explain(event('container', 'die', { exitCode: '127' })), [
    'container web ended with exit code 127: its command was not found',
    "check the command: berth inspect -f '{{.Path}} {{.Args}}' web",
  ])
})

test('EventExplainer has a sentence for what happens to other things', () => {
  const events = [
    event('network', 'connect', { name: 'front', container: '0123456789abcdef' }),
    event('image', 'tag', { name: 'app:1' }),
    event('volume', 'destroy'),
    event('container', 'exec_start: sh -c true'),
    event('container', 'something_new'),
    event('image', 'prune', { reclaimed: '1500' }),
  ]
  assert.deepEqual(explain(...events), [
    'container 0123456789ab has joined network front',
    'image app:1 was tagged',
    'volume c1 was removed',
    'container web runs a further command: sh -c true',
    'container web something new',
    'unused images were removed, which freed 1.5kB',
  ])
})
