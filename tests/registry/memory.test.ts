import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { type DockerRegistry, layerOf, startDockerRegistry, useEngine } from '@berth/testing'

let registry: DockerRegistry
after(() => registry?.[Symbol.asyncDispose]())
const engine = useEngine({ images: [] })

/** Of berthd, in bytes: what it has now, and the most it had since the mark was taken back. */
function memory(): { now: number; peak: number } {
  const status = readFileSync(`/proc/${engine.daemon!.pid}/status`, 'utf8')
  const bytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
}

const mb = 1_000_000

test('a pull of large layers takes little memory, however much comes', async () => {
  registry = await startDockerRegistry(engine.daemon!.sandbox)
  const layers = [0, 1, 2, 3, 4, 5].map((i) => layerOf([{ path: `f${i}`, content: randomBytes(60 * mb) }]))
  await registry.add('team/large', { reference: 'x:1', layers, config: {} }, { gzipLevel: 0 })
  // proc(5): takes the mark of the most memory back to what there is now.
  writeFileSync(`/proc/${engine.daemon!.pid}/clear_refs`, '5')
  const { now } = memory()
  const { status, text } = await engine.api.request(
    'POST',
    `/images/create?fromImage=${registry.host}/team/large&tag=1`,
  )
  assert.equal(status, 200)
  assert.match(text, /Downloaded newer image/)
  const grown = memory().peak - now
  assert.ok(grown < 150 * mb, `${Math.round(grown / mb)} MB more than before`)
})
