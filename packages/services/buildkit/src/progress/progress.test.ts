import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress, type Update } from './progress.ts'

const never = new AbortController().signal
const all = (progress: Progress): Promise<Update[]> => Array.fromAsync(progress.follow(never))

test('follow() brings everything from the beginning on, whenever it begins', async () => {
  const progress = new Progress()
  const early = all(progress)
  const vertex = progress.vertex('[1/1] RUN x').start()
  vertex.log(1, Buffer.from('hello'))
  vertex.complete({ isCached: true })
  vertex.complete({ error: 'too late' })
  progress.end()
  for (const updates of [await early, await all(progress)]) {
    const vertexes = updates.flatMap((update) => update.vertexes ?? [])
    const logs = updates.flatMap((update) => update.logs ?? [])
    assert.deepEqual(
      vertexes.map(({ name, cached, error, completed }) => [
        name,
        cached ?? false,
        error ?? '',
        completed !== undefined,
      ]),
      [
        ['[1/1] RUN x', false, '', false],
        ['[1/1] RUN x', true, '', true],
      ],
    )
    assert.deepEqual(
      logs.map(({ msg }) => Buffer.from(msg as Uint8Array).toString()),
      ['hello'],
    )
  }
})

test('log() is clipped after two megabytes, and says so once', async () => {
  const progress = new Progress()
  const vertex = progress.vertex('RUN yes')
  for (let i = 0; i < 40; i++) vertex.log(1, Buffer.alloc(100_000, 'y'))
  progress.end()
  const logs = (await all(progress)).flatMap((update) => update.logs ?? [])
  const bytes = logs.reduce((sum, { msg }) => sum + (msg as Uint8Array).length, 0)
  assert.ok(bytes < 2.2e6, `${bytes} bytes`)
  assert.match(Buffer.from(logs.at(-1)?.msg as Uint8Array).toString(), /output clipped, log limit 2MiB reached/)
})
