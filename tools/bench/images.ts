import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type FixtureImage, imageArchive, layerOf, startDockerRegistry } from '@berth/testing'
import type { Sample, Scale } from './cases.ts'
import { timeMs } from './time.ts'
import type { BenchEngine } from './engine.ts'

const tag = 'berth-bench-large:latest'
const port = 5055
let archive: Promise<string> | undefined

/** Three layers, half of each as good as random and half words, which is what images are like. */
function largeImage({ imageMb }: Scale): FixtureImage {
  const bytes = Math.floor((imageMb / 6) * 1e6)
  const words = Buffer.from(
    Array.from({ length: bytes / 8 }, () => `${Math.random().toString(36).slice(2, 6)} the`).join(''),
  )
  const layers = [0, 1, 2].map((i) =>
    layerOf([
      { path: `random${i}`, content: randomBytes(bytes) },
      { path: `words${i}`, content: words.subarray(0, bytes) },
    ]),
  )
  return { reference: tag, layers, config: { Labels: { 'berth-bench': '1' } } }
}

/** The image's archive, written once: packing it is not what is timed. */
async function writeArchive(scale: Scale): Promise<string> {
  const path = join(tmpdir(), `berth-bench-${process.pid}.tar`)
  process.once('exit', () => rmSync(path, { force: true }))
  await pipeline(imageArchive(largeImage(scale)), createWriteStream(path))
  return path
}

/** A docker-registry on the loopback of the engine's network. */
const registryFor = (engine: BenchEngine) =>
  startDockerRegistry(
    {
      enter: (argv) => ({
        file: 'nsenter',
        args: [`--net=/proc/${engine.roots[0]}/ns/net`, '--', ...argv],
        env: process.env,
      }),
    },
    { port },
  )

/** An image of some hundred megabytes in and out of the engine, by archive and by registry. */
export async function images(engine: BenchEngine, scale: Scale): Promise<Sample> {
  archive ??= writeArchive(scale)
  const path = await archive
  await using registry = await registryFor(engine)
  const name = `${registry.host}/bench/large`
  const remove = (reference: string) => timeMs(() => engine.call('DELETE', `/images/${reference}`))
  const load = await timeMs(() =>
    engine.call('POST', '/images/load?quiet=1', createReadStream(path, { highWaterMark: 1 << 20 })),
  )
  const save = await timeMs(() => engine.drain(`/images/${tag}/get`))
  await engine.call('POST', `/images/${tag}/tag?repo=${encodeURIComponent(name)}&tag=1`)
  const push = await timeMs(() => engine.call('POST', `/images/${name}/push?tag=1`))
  await remove(`${name}:1`)
  const rm = await remove(tag)
  const pull = await timeMs(() => engine.call('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=1`))
  await remove(`${name}:1`)
  return { 'img-load': load, 'img-save': save, 'img-push': push, 'img-rm': rm, 'img-pull': pull }
}
