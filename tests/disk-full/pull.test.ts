import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  type DockerRegistry,
  layerOf,
  type Sandbox,
  startDaemon,
  startDockerRegistry,
  type TestDaemon,
  until,
} from '@berth/testing'

let daemon: TestDaemon
let registry: DockerRegistry
const inside = (sandbox: Sandbox, ...command: string[]): void => {
  const { file, args, env } = sandbox.enter(command)
  execFileSync(file, args, { env })
}

before(async () => {
  daemon = await startDaemon({
    args: ['--min-free-space', '0'],
    prepare: (sandbox, folder) => {
      mkdirSync(join(folder, 'data'))
      inside(sandbox, 'mount', '-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', join(folder, 'data'))
    },
  })
  registry = await startDockerRegistry(daemon.sandbox)
  for (const name of ['one', 'two']) {
    const layers = [0, 1].map((i) => layerOf([{ path: `${name}${i}`, content: randomBytes(20_000_000) }]))
    await registry.add(`full/${name}`, { reference: 'x:1', layers, config: {} }, { gzipLevel: 0 })
  }
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

/** The last line of a pull's stream, or the refusal before it. */
async function pull(name: string): Promise<string> {
  const { text } = await daemon.api.request('POST', `/images/create?fromImage=${registry.host}/full/${name}&tag=1`)
  return text.trim().split('\n').at(-1) ?? ''
}

function freeBytes(): number {
  const { bavail, bsize } = statfsSync(`/proc/${daemon.sandbox.pid}/root${daemon.dataRoot}`)
  return bavail * bsize
}

/** The engine answers, has no image, gives the space back, and everything is as its records say. */
async function isAsBefore(free: number): Promise<void> {
  assert.deepEqual(await daemon.api.json('GET', '/images/json'), [])
  await until(() => freeBytes() > free - 2_000_000, 10_000)
  assert.deepEqual(await daemon.api.json('POST', '/berth/check'), { Findings: [] })
}

const noSpace = /no space left|disk is full|ENOSPC/i

test('a pull that fills the disk fails by name and gives the space back', async () => {
  const free = freeBytes()
  assert.match(await pull('one'), noSpace)
  await isAsBefore(free)
})

test('pulls that fill the disk together fail by name, and give the space back', async () => {
  const free = freeBytes()
  for (const said of await Promise.all([pull('one'), pull('two')])) assert.match(said, noSpace)
  await isAsBefore(free)
})

test('once there is space the pull works', async () => {
  inside(daemon.sandbox, 'mount', '-o', 'remount,size=256m', daemon.dataRoot)
  assert.match(await pull('one'), /Downloaded newer image/)
  assert.match(await pull('two'), /Downloaded newer image/)
  assert.deepEqual(await daemon.api.json('POST', '/berth/check'), { Findings: [] })
})
