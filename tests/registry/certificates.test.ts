import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import {
  addNamedAddress,
  type DockerRegistry,
  layerOf,
  startDaemon,
  startDockerRegistry,
  type TestDaemon,
} from '@berth/testing'

// A registry on an address and under a name that are nobody's loopback: those need no certificate.
const [address, host] = ['10.99.0.1', 'registry.test:5443']

let daemon: TestDaemon
let registry: DockerRegistry
let certificates: string
let folder: string

before(async () => {
  daemon = await startDaemon({
    argsIn: (own) => ['--registry-certs', (certificates = join((folder = own), 'certs.d'))],
    prepare: (sandbox) => addNamedAddress(sandbox, { folder, address, names: ['registry.test'] }),
  })
  makeCertificates()
  const tls = { certificate: at('server.crt'), key: at('server.key'), clientcas: [at('ca.crt')] }
  registry = await startDockerRegistry(daemon.sandbox, { http: { addr: `${address}:5443`, tls } })
  await registry.add('team/app', { reference: 'x:1', layers: [layerOf([{ path: 'a', content: 'a' }])], config: {} })
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})
beforeEach(() => rmSync(certificates, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)
const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' })

/** An authority of our own, and what it signed for the registry and for the engine. */
function makeCertificates(): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.crt'), '-subj', '/CN=tests', '-days', '2')
  const signed = ['-x509', '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-days', '2']
  for (const [name, more] of [
    ['server', ['-addext', 'subjectAltName=DNS:registry.test']],
    ['client', []],
  ] as const) {
    const files = ['-keyout', at(`${name}.key`), '-out', at(name === 'client' ? 'client.cert' : 'server.crt')]
    openssl('req', ...signed, ...key, ...files, '-subj', `/CN=${name}`, ...more)
  }
}

/** Puts files down for the registry, as its administrator would. */
function give(...names: string[]): void {
  mkdirSync(join(certificates, host), { recursive: true })
  for (const name of names) cpSync(at(name), join(certificates, host, name))
}

async function pull(): Promise<string> {
  const { text } = await daemon.api.request('POST', `/images/create?fromImage=${host}/team/app&tag=1`)
  return text.trim().split('\n').at(-1) ?? ''
}

test('a registry whose authority nobody knows is refused', async () => {
  assert.match(await pull(), /x509: certificate signed by unknown authority/)
})

test('a registry that wants a certificate of ours says so', async () => {
  give('ca.crt')
  assert.match(await pull(), /remote error: tls: (bad certificate|certificate required)/)
})

test('half of a pair is named', async () => {
  give('ca.crt', 'client.cert')
  assert.match(await pull(), /missing key client.key for client certificate client.cert/)
})

test('the files of certs.d count from the next pull on, without a reload', async () => {
  assert.match(await pull(), /x509/)
  give('ca.crt', 'client.cert', 'client.key')
  assert.match(await pull(), /Downloaded newer image/)
})

test('a certificate for a host is for no other', async () => {
  give('ca.crt', 'client.cert', 'client.key')
  const other = await daemon.api.request('POST', `/images/create?fromImage=${address}:5443/team/app&tag=1`)
  assert.match(other.text, /x509/)
})
