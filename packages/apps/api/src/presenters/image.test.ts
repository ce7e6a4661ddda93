import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeImage } from '../testing/fakes.ts'
import { presentImage } from './image.ts'

const driver = { Name: 'overlay2', Data: {} }

function createdAs(created: string): string | undefined {
  const image = fakeImage()
  return presentImage({ ...image, config: { ...image.config, created } }, driver, 51).Created
}

test('presentImage() shows the time of an image as Go writes it, and as it is what is none', () => {
  const times = [
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.120300Z', '2026-01-01T00:00:00.1203Z'],
    ['2026-01-01T00:00:00.500+02:00', '2026-01-01T00:00:00.5+02:00'],
    ['2026-01-01T00:00:00.5', '2026-01-01T00:00:00.5'],
    ['yesterday', 'yesterday'],
  ] as const
  assert.deepEqual(
    times.map(([text]) => createdAs(text)),
    times.map(([, shown]) => shown),
  )
})

test('presentImage() is not held up by the time that an image gives', () => {
  const zeros = '0'.repeat(100_000)
  const begunMs = performance.now()
  for (const text of [`0.${zeros}x`, `${zeros}.${zeros}x`, `0.${zeros}+${zeros}x`, `0.${`${zeros}1`.repeat(10)}`]) {
    assert.equal(createdAs(text), text)
  }
  assert.ok(performance.now() - begunMs < 1000, `took ${Math.round(performance.now() - begunMs)} ms`)
})
