import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import {
  addNamedAddress,
  authority,
  type DockerRegistry,
  layerOf,
  serverCertificate,
  serverKey,
  startBerthRegistry,
  startDaemon,
  startDockerRegistry,
  type TestDaemon,
} from '@berth/testing'
import { gitSource } from './git-source.ts'
import { proxySource, ServersInside, serverSource } from './servers-inside.ts'

// Registries with and without TLS, and a server of files, that are to be reached by a proxy.
const address = '10.99.0.3'
const [secure, plain] = ['secure.test:5443', 'plain.test:5000']
const credentials = 'ann:p@ss'
const url = 'http://ann:p%40ss@proxy.test:3128'
const proxies = { 'http-proxy': url, 'https-proxy': url }

let daemon: TestDaemon
let registry: DockerRegistry
let other: DockerRegistry
let folder: string
let asked: string[]
const servers = new ServersInside()

const configure = (settings: object): void => {
  const base = { 'insecure-registries': [secure, plain] }
  writeFileSync(join(folder, 'daemon.json'), JSON.stringify({ ...base, ...settings }))
}

before(async () => {
  daemon = await startDaemon({
    argsIn: (own) => {
      folder = own
      configure({ proxies })
      return ['--config-file', join(own, 'daemon.json')]
    },
    prepare: (sandbox) =>
      addNamedAddress(sandbox, { folder, address, names: ['secure.test', 'plain.test', 'proxy.test', 'files.test'] }),
  })
  const { sandbox } = daemon
  for (const [name, text] of Object.entries({ 'a.crt': serverCertificate, 'a.key': serverKey, 'ca.crt': authority })) {
    writeFileSync(join(folder, name), text)
  }
  const tls = { certificate: join(folder, 'a.crt'), key: join(folder, 'a.key') }
  registry = await startDockerRegistry(sandbox, { http: { addr: `${address}:5443`, tls } })
  other = await startDockerRegistry(sandbox, { port: 5001, http: { addr: `${address}:5000` } })
  for (const one of [registry, other]) {
    await one.add('team/app', { reference: 'x:1', layers: [layerOf([{ path: 'a', content: 'a' }])], config: {} })
  }
  asked = await servers.start(sandbox, proxySource({ address, port: 3128, credentials }))
  const dockerfile = `FROM ${secure}/team/app:1\nADD http://files.test:8000/file /file\n`
  const tar = Buffer.alloc(10_240).toString('base64')
  const answer = `response.end(request.url === '/Dockerfile' ? ${JSON.stringify(dockerfile)}
    : request.url === '/a.tar' ? Buffer.from('${tar}', 'base64') : 'content')`
  await servers.start(sandbox, serverSource({ address, port: 8000 }, answer))
  await servers.start(sandbox, gitSource({ address, port: 8001, root: addRepository(folder) }))
})
after(async () => {
  await servers[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  await other?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})
beforeEach(() => void (asked.length = 0))

/** A bare repository `app.git` of one Dockerfile, in a directory of its own. */
function addRepository(parent: string): string {
  const [work, root] = [join(parent, 'work'), join(parent, 'git')]
  mkdirSync(work)
  writeFileSync(join(work, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
  const git = (...args: string[]) => execFileSync('git', ['-C', work, ...args], { stdio: 'ignore' })
  git('init', '--quiet')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message=a')
  execFileSync('git', ['clone', '--quiet', '--bare', work, join(root, 'app.git')], { stdio: 'ignore' })
  return root
}

async function restart(settings: object, environment: Record<string, string> = {}): Promise<void> {
  configure(settings)
  await daemon.kill('SIGTERM')
  await daemon.start(environment)
  asked.length = 0
}

const remove = (image: string) => daemon.api.request('DELETE', `/images/${image}`)

async function pull(host: string): Promise<string> {
  const { text } = await daemon.api.request('POST', `/images/create?fromImage=${host}/team/app&tag=1`)
  await remove(`${host}/team/app:1`)
  return text.trim().split('\n').at(-1) ?? ''
}

test('a registry with TLS is reached by a tunnel, pulls and pushes alike', async () => {
  const { text } = await daemon.api.request('POST', `/images/create?fromImage=${secure}/team/app&tag=1`)
  assert.match(text, /Downloaded newer image/)
  await daemon.api.request('POST', `/images/${secure}/team/app:1/tag?repo=${secure}/team/again&tag=1`)
  const headers = { 'X-Registry-Auth': 'e30=' }
  const pushed = await daemon.api.request('POST', `/images/${secure}/team/again/push?tag=1`, undefined, { headers })
  assert.match(pushed.text, /"aux"/)
  assert.equal(registry.manifest('team/again', '1').digest, registry.manifest('team/app', '1').digest)
  for (const name of ['app', 'again']) await remove(`${secure}/team/${name}:1`)
  assert.deepEqual([...new Set(asked)], [`CONNECT ${secure}`])
})

test('a registry without TLS is reached by a proxy that forwards', async () => {
  assert.match(await pull(plain), /Downloaded newer image/)
  assert.ok(asked.some((line) => line.includes(`http://${plain}/v2/team/app/`)))
})

test('a build takes its context, its base and what it adds by the proxy', async () => {
  // Kept tunnels would serve again, unseen.
  await restart({ proxies })
  const { text } = await daemon.api.request('POST', '/build?remote=http://files.test:8000/Dockerfile&t=built:1')
  assert.match(text, /Successfully tagged built:1/)
  for (const image of ['built:1', `${secure}/team/app:1`]) await remove(image)
  for (const line of [
    'GET http://files.test:8000/Dockerfile',
    'GET http://files.test:8000/file',
    `CONNECT ${secure}`,
  ]) {
    assert.ok(asked.includes(line), line)
  }
})

test('git fetches a context by the proxy, with its credentials', async () => {
  const { text } = await daemon.api.request('POST', '/build?remote=http://files.test:8001/app.git&t=fetched:1')
  assert.match(text, /Successfully tagged fetched:1/)
  await remove('fetched:1')
  const [first = ''] = asked
  assert.match(first, /^GET http:\/\/files\.test:8001\/app\.git\/info\/refs/)
  assert.ok(asked.includes('POST http://files.test:8001/app.git/git-upload-pack'), asked.join('\n'))
})

test('an import from a URL comes by the proxy', async () => {
  const source = encodeURIComponent('http://files.test:8000/a.tar')
  const { text } = await daemon.api.request('POST', `/images/create?fromSrc=${source}&repo=imported&tag=1`)
  assert.match(text, /sha256:/)
  await remove('imported:1')
  assert.deepEqual(asked, ['GET http://files.test:8000/a.tar'])
})

test('a pull-through cache takes its proxies from the environment', async () => {
  const { enter } = daemon.sandbox
  const inside = (command: readonly string[]) => {
    const { file, args, env } = enter(command)
    return { file, args, env: { ...env, http_proxy: url } }
  }
  await using cache = await startBerthRegistry({ enter: inside }, { args: ['--proxy', `http://${plain}`] })
  assert.match(await pull(cache.host), /Downloaded newer image/)
  assert.ok(asked.some((line) => line.includes(`http://${plain}/v2/team/app/`)))
})

test('no-proxy spares whom it names, and the environment counts where daemon.json says nothing', async () => {
  await restart({ proxies: { ...proxies, 'no-proxy': 'secure.test' } })
  assert.match(await pull(secure), /Downloaded newer image/)
  assert.deepEqual(asked, [])
  await restart({}, { HTTPS_PROXY: url, NO_PROXY: 'plain.test' })
  assert.match(await pull(secure), /Downloaded newer image/)
  assert.match(await pull(plain), /Downloaded newer image/)
  assert.deepEqual([...new Set(asked)], [`CONNECT ${secure}`])
})

test('a proxy that does not know us is named, without the password that it was given', async () => {
  await restart({
    proxies: { 'https-proxy': url.replace('p%40ss', 'wrong'), 'no-proxy': 'plain.test' },
    'insecure-registries': [],
  })
  const said = await pull(secure)
  assert.match(said, /the proxy proxy\.test:3128 refuses: 407 Proxy Authentication Required/)
  assert.doesNotMatch(said, /wrong/)
})
