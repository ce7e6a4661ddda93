import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { updateConfigFile } from '../config-file.ts'
import { packContext, unpackContext } from './context-archive.ts'
import { listContexts, readContext, readTlsFiles, removeContext, writeContext, writeTlsFiles } from './context-store.ts'
import { currentContext } from './current-context.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-contexts-'))
after(() => rmSync(folder, { recursive: true }))

const remote = {
  Name: 'remote',
  Metadata: { Description: 'far', Other: 1 },
  Endpoints: { docker: { Host: 'tcp://h:2376', SkipTLSVerify: false } },
}

test('writeContext() keeps a context where docker looks for it, and its keys to the user', () => {
  writeContext(folder, remote)
  writeTlsFiles(folder, 'remote', { 'key.pem': 'secret' })
  const digest = createHash('sha256').update('remote').digest('hex')
  assert.equal(statSync(join(folder, 'contexts/meta', digest, 'meta.json')).mode & 0o777, 0o644)
  assert.equal(statSync(join(folder, 'contexts/tls', digest, 'docker/key.pem')).mode & 0o777, 0o600)
  assert.deepEqual(readContext(folder, 'remote'), remote)
  assert.deepEqual(listContexts(folder), [remote])
  assert.deepEqual(readTlsFiles(folder, 'remote'), { 'key.pem': 'secret' })
  removeContext(folder, 'remote')
  assert.deepEqual([listContexts(folder), readTlsFiles(folder, 'remote')], [[], {}])
  assert.throws(
    () => readContext(folder, 'remote'),
    /^Error: context "remote": context not found: open .*\/contexts\/meta\//,
  )
})

test('unpackContext() reads what packContext() writes, also without the end that docker leaves out', async () => {
  const archived = { context: remote, tls: { 'ca.pem': 'a', 'key.pem': 'b' } }
  const bytes = await packContext(archived)
  const expected = { context: { ...remote, Name: '' }, tls: archived.tls }
  assert.deepEqual(await unpackContext(chunks(bytes)), expected)
  const [end] = [bytes.lastIndexOf('b')]
  assert.deepEqual(await unpackContext(chunks(bytes.subarray(0, end + 1))), expected)
})

test('unpackContext() refuses what is no context', async () => {
  await assert.rejects(unpackContext(chunks(Buffer.from('foo'))))
  await assert.rejects(unpackContext(chunks(Buffer.alloc(1024))), /no metadata found/)
  const strays = { context: remote, tls: { '../../evil': 'x' } }
  await assert.rejects(
    unpackContext(chunks(await packContext(strays))),
    /unexpected context file: tls\/docker\/\.\.\/\.\.\/evil/,
  )
  const large = { context: remote, tls: { 'ca.pem': 'x'.repeat(11 * 1024 * 1024) } }
  await assert.rejects(unpackContext(chunks(await packContext(large))), /exceeds the defined limit/)
})

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536)
}

test('currentContext() goes by --context, then a host, then the environment, then config.json', () => {
  const config = { currentContext: 'stored' }
  const flags = { context: '', host: [] }
  assert.equal(currentContext({ flags, env: {}, config: {} }), 'default')
  assert.equal(currentContext({ flags, env: {}, config }), 'stored')
  assert.equal(currentContext({ flags, env: { DOCKER_CONTEXT: 'env' }, config }), 'env')
  assert.equal(currentContext({ flags, env: { DOCKER_CONTEXT: 'env', DOCKER_HOST: 'tcp://x' }, config }), 'default')
  assert.equal(
    currentContext({ flags: { context: 'flag', host: [] }, env: { DOCKER_HOST: 'tcp://x' }, config }),
    'flag',
  )
})

test('updateConfigFile() keeps what it does not know, and the file to the user', () => {
  updateConfigFile(folder, () => ({ auths: { x: { auth: 'y' } }, currentContext: 'a' }))
  updateConfigFile(folder, (config) => ({ ...config, currentContext: undefined }))
  const path = join(folder, 'config.json')
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), { auths: { x: { auth: 'y' } } })
  assert.equal(statSync(path).mode & 0o777, 0o600)
})
