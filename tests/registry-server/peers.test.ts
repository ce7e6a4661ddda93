import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  type BerthRegistry,
  command,
  type HostileRegistry,
  openHostileRegistry,
  startBerthRegistry,
} from '@berth/testing'
import { indexType, RegistryClient } from './registry-client.ts'

// Other people's clients, in a tree of their own (chroot): BERTH_PEER_TREE names it.
const tree = process.env['BERTH_PEER_TREE'] ?? ''
const has = (program: string): boolean => tree !== '' && existsSync(join(tree, 'usr/bin', program))
const skip = (program: string): string | false =>
  has(program) ? false : `no ${program}: BERTH_PEER_TREE names no tree with it`

let registry: BerthRegistry
let source: HostileRegistry
before(async () => {
  registry = await startBerthRegistry(undefined, { users: { ann: 'secret' } })
  source = await openHostileRegistry()
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  await source?.[Symbol.asyncDispose]()
})

async function run(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command('unshare', ['-m', 'sh', '-c', inTree, tree, program, ...args])
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${stderr}`)
  return stdout
}

/** With the kernel's file systems, which podman looks at; the mounts end with the program. */
const inTree = 'for d in proc dev sys; do mount --rbind /$d "$0/$d"; done; exec chroot "$0" "$@"'

const credentials = { Authorization: `Basic ${btoa('ann:secret')}` }
const client = (): RegistryClient => new RegistryClient(registry.host, credentials)

test(
  'skopeo copies an index with all its images in, and out again, to the byte',
  { skip: skip('skopeo') },
  async () => {
    const layers = (text: string) => [[{ path: 'a', content: text.repeat(1000) }], [{ path: 'b', content: text }]]
    const images = ['amd64', 'arm64', 's390x'].map((architecture) => ({ architecture, layers: layers(architecture) }))
    const { index } = source.addMultiImage('src/multi', images, { tag: '1' })
    const to = ['--dest-creds', 'ann:secret', '--dest-tls-verify=false', `docker://${registry.host}/skopeo/multi:1`]
    await run(
      'skopeo',
      'copy',
      '--all',
      '--preserve-digests',
      '--src-tls-verify=false',
      `docker://${source.host}/src/multi:1`,
      ...to,
    )
    const { headers } = await client().head('/v2/skopeo/multi/manifests/1', { Accept: indexType })
    assert.equal(headers['docker-content-digest'], index.digest)
    const from = ['--src-creds', 'ann:secret', '--src-tls-verify=false', `docker://${registry.host}/skopeo/multi:1`]
    await run(
      'skopeo',
      'copy',
      '--multi-arch',
      'all',
      '--preserve-digests',
      ...from,
      '--dest-tls-verify=false',
      `docker://${source.host}/back/multi:1`,
    )
    assert.equal(source.content.find('back/multi')?.tags.get('1'), index.digest)
  },
)

test('skopeo lists tags, inspects and deletes', { skip: skip('skopeo') }, async () => {
  await client().pushImage('skopeo/app', 'v1')
  await client().pushImage('skopeo/app', 'v2')
  const options = ['--creds', 'ann:secret', '--tls-verify=false']
  const { Tags } = JSON.parse(await run('skopeo', 'list-tags', ...options, `docker://${registry.host}/skopeo/app`)) as {
    Tags: string[]
  }
  assert.deepEqual(Tags, ['v1', 'v2'])
  const raw = await run('skopeo', 'inspect', '--raw', ...options, `docker://${registry.host}/skopeo/app:v1`)
  assert.equal(raw, (await client().get('/v2/skopeo/app/manifests/v1')).text)
  await run('skopeo', 'delete', ...options, `docker://${registry.host}/skopeo/app:v1`)
  assert.equal((await client().head('/v2/skopeo/app/manifests/v1')).status, 404)
})

test('podman logs in, pulls and pushes', { skip: skip('podman') }, async () => {
  const image = source.addImage('src/app', { layers: [[{ path: 'a', content: 'x'.repeat(10_000) }]], tag: '1' })
  const copied = [`docker://${source.host}/src/app:1`, `docker://${registry.host}/podman/app:1`]
  await run(
    'skopeo',
    'copy',
    '--src-tls-verify=false',
    '--dest-tls-verify=false',
    '--dest-creds',
    'ann:secret',
    ...copied,
  )
  const storage = `/tmp/podman-${process.pid}`
  const podman = (...args: string[]) =>
    run('podman', '--root', `${storage}/root`, '--runroot', `${storage}/run`, '--storage-driver', 'vfs', ...args)
  const auth = ['--tls-verify=false', '--creds', 'ann:secret']
  try {
    await podman(
      'login',
      '--tls-verify=false',
      '--authfile',
      `${storage}/auth.json`,
      '-u',
      'ann',
      '-p',
      'secret',
      registry.host,
    )
    await podman('pull', '-q', ...auth, `${registry.host}/podman/app:1`)
    await podman('tag', `${registry.host}/podman/app:1`, `${registry.host}/podman/again:1`)
    await podman('push', '-q', ...auth, `${registry.host}/podman/again:1`)
    const { text } = await client().get('/v2/podman/again/manifests/1')
    assert.equal((JSON.parse(text) as { config: { digest: string } }).config.digest, image.config.digest)
  } finally {
    await command('rm', ['-rf', join(tree, storage)])
  }
})
