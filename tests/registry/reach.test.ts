import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  addNamedAddress,
  type DockerRegistry,
  layerOf,
  startDaemon,
  startDockerRegistry,
  type StoredImage,
  type TestDaemon,
  until,
} from '@berth/testing'
import { ServersInside, serverSource } from './servers-inside.ts'

// Mirrors and the rest of how registries are reached, on addresses that are nobody's loopback.
const address = '10.99.0.2'
const names = ['registry.test', 'mirror.test', 'busy.test', 'registry-1.docker.io']

let daemon: TestDaemon
let registry: DockerRegistry
let mirror: DockerRegistry
let folder: string
const servers = new ServersInside()

const [origin, reflected, busy] = ['registry.test:5000', 'mirror.test:5001', 'busy.test:5002']
const base = {
  'insecure-registries': [origin, 'mirror.test:5001'],
  'registry-mirrors': [`http://${reflected}`, `${origin}=http://${busy}`, `${origin}=http://${reflected}`],
}

before(async () => {
  daemon = await startDaemon({
    argsIn: (own) => {
      folder = own
      configure(base)
      return ['--config-file', join(own, 'daemon.json')]
    },
    prepare: (sandbox) => addNamedAddress(sandbox, { folder, address, names }),
  })
  registry = await startDockerRegistry(daemon.sandbox, { http: { addr: `${address}:5000` } })
  mirror = await startDockerRegistry(daemon.sandbox, { port: 5001, http: { addr: `${address}:5001` } })
  await servers.start(daemon.sandbox, serverSource({ address, port: 5002 }, busyAnswer))
})
after(async () => {
  await servers[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  await mirror?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

const configure = (settings: object): void => writeFileSync(join(folder, 'daemon.json'), JSON.stringify(settings))

/** Settings that count from now on; the engine says so. */
async function reload(settings: object): Promise<void> {
  const before = daemon.log().length
  configure(settings)
  process.kill(daemon.pid, 'SIGHUP')
  await until(() => /configuration (reloaded|read again|kept)/i.test(daemon.log().slice(before)))
}

/** Tells everybody to come back later. */
const busyAnswer = `console.log(request.method + ' ' + request.url)
  response.writeHead(429, { 'Retry-After': '3600' }).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"too many"}]}')`

async function pull(name: string): Promise<string> {
  const { text } = await daemon.api.request('POST', `/images/create?fromImage=${name}&tag=1`)
  await daemon.api.request('DELETE', `/images/${name}:1`)
  return text.trim().split('\n').at(-1) ?? ''
}

const add = (to: DockerRegistry, path: string): Promise<StoredImage> =>
  to.add(path, { reference: 'x:1', layers: [layerOf([{ path, content: path }])], config: {} })

test('a mirror that is busy is passed over for the next, and that for the registry itself', async () => {
  await add(mirror, 'team/mirrored')
  await add(registry, 'team/mirrored')
  const from = registry.requests().length
  assert.match(await pull(`${origin}/team/mirrored`), /Downloaded newer image/)
  assert.deepEqual(registry.requests().slice(from), [])
  await add(registry, 'team/own')
  assert.match(await pull(`${origin}/team/own`), /Downloaded newer image/)
  await mirror.stop()
  assert.match(await pull(`${origin}/team/mirrored`), /Downloaded newer image/)
  await mirror.start()
})

test('a mirror of Docker Hub serves its images under their own names', async () => {
  await add(mirror, 'library/tiny')
  const { text } = await daemon.api.request('POST', '/images/create?fromImage=tiny&tag=1')
  assert.match(text, /Status: Downloaded newer image for tiny:1/)
  await daemon.api.json('DELETE', '/images/tiny:1')
})

test('a push goes to the registry, never to a mirror', async () => {
  await add(registry, 'team/pushed')
  await daemon.api.request('POST', `/images/create?fromImage=${origin}/team/pushed&tag=1`)
  await daemon.api.request('POST', `/images/${origin}/team/pushed:1/tag?repo=${origin}/team/again&tag=1`)
  const from = mirror.requests().length
  const headers = { 'X-Registry-Auth': 'e30=' }
  const { text } = await daemon.api.request('POST', `/images/${origin}/team/again/push?tag=1`, undefined, { headers })
  assert.match(text, /"aux"/)
  assert.equal(registry.manifest('team/again', '1').digest, registry.manifest('team/pushed', '1').digest)
  assert.deepEqual(mirror.requests().slice(from), [])
  for (const name of ['pushed', 'again']) await daemon.api.json('DELETE', `/images/${origin}/team/${name}:1`)
})

test('SIGHUP takes insecure registries and mirrors in, while pulls go on', async () => {
  await add(registry, 'team/reload')
  await reload({ ...base, 'insecure-registries': [], 'registry-mirrors': [] })
  assert.match(await pull(`${origin}/team/reload`), /HTTP response to HTTPS client/)
  await reload(base)
  const pulls = Array.from({ length: 8 }, async (_, i) => {
    await add(registry, `team/reload${i}`)
    return await pull(`${origin}/team/reload${i}`)
  })
  for (let i = 0; i < 4; i++) await reload({ ...base, debug: i % 2 === 0 })
  for (const said of await Promise.all(pulls)) assert.match(said, /Downloaded newer image/)
  await reload({ ...base, 'registry-mirrors': ['nonsense'] })
  assert.match(await pull(`${origin}/team/reload`), /Downloaded newer image/)
  await reload(base)
})

test('an engine that is offline asks nobody, and runs what it has', async () => {
  await add(registry, 'team/offline')
  await reload({ ...base, offline: true })
  const from = registry.requests().length
  assert.match(await pull(`${origin}/team/offline`), /the engine is offline/)
  assert.deepEqual(registry.requests().slice(from), [])
  await reload(base)
  assert.match(await pull(`${origin}/team/offline`), /Downloaded newer image/)
})
