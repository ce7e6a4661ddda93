import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { command, loadFixture, startDaemon, tarEntry, type TestDaemon, writeTar } from '@berth/testing'

const docker = process.env['BERTH_DOCKER_CLI'] ?? 'docker'
let daemon: TestDaemon

before(async () => {
  daemon = await startDaemon({ args: ['--experimental'] })
  await loadFixture(daemon.api, 'busybox')
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Inspected {
  readonly Id: string
  readonly Comment: string
  readonly RootFS: { readonly Layers: readonly string[] }
  readonly Config: { readonly Env: readonly string[] }
}

interface Step {
  readonly CreatedBy: string
  readonly Comment: string
  readonly Size: number
}

async function cli(args: readonly string[], cwd = '/'): Promise<string> {
  const result = await command(docker, args, { cwd, env: { DOCKER_HOST: daemon.host, DOCKER_BUILDKIT: '0' } })
  assert.equal(result.code, 0, result.stderr)
  return result.stdout
}

async function build(name: string, dockerfile: string, ...flags: string[]): Promise<Inspected> {
  const folder = join(daemon.dataRoot, '..', 'context')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'Dockerfile'), dockerfile)
  await cli(['build', ...flags, '-t', name, folder])
  return (await daemon.api.json('GET', `/images/${name}/json`)) as Inspected
}

const dockerfile = `FROM busybox AS a
RUN echo one > /one; mkdir /d; echo x > /d/x; ln /one /linked; ln -s one /soft; chmod 4755 /linked
FROM a
ENV E=1
RUN rm -r /d /bin/true; echo two > /two; dd if=/dev/zero of=/secret bs=1k count=64 2>/dev/null
RUN rm /two /secret; echo 3 > /three; mkdir /d; echo n > /d/n; mkfifo /fifo; ln /three /also
LABEL a=b`

const listing =
  'find / -xdev \\( -path /proc -o -path /sys -o -path /dev -o -path /etc \\) -prune -o -exec stat -c "%A %h %s %u:%g %n" {} + | sort'

test('--squash makes one layer of what the target did on its base, with the same files and the same configuration', async () => {
  const plain = await build('plain', dockerfile)
  const squashed = await build('squashed', dockerfile, '--squash')
  assert.equal(plain.RootFS.Layers.length, 4)
  assert.deepEqual(squashed.RootFS.Layers.slice(0, 2), plain.RootFS.Layers.slice(0, 2))
  assert.equal(squashed.RootFS.Layers.length, 3)
  assert.deepEqual(squashed.Config, plain.Config)
  const files = (image: string) => cli(['run', '--rm', '--network', 'none', image, 'sh', '-c', listing])
  assert.equal(await files('squashed'), await files('plain'))
})

test('--squash tells of itself in the history, as Docker does, and keeps what was removed out of the image', async () => {
  const plain = await build('plain', dockerfile)
  const squashed = await build('squashed', dockerfile, '--squash')
  const [, base] = /to (sha256:[0-9a-f]{64})$/.exec(squashed.Comment) ?? []
  assert.equal(squashed.Comment, `merge ${plain.Id} to ${base}`)
  const history = (await daemon.api.json('GET', '/images/squashed/history')) as Step[]
  const commands = [...dockerfile.matchAll(/^RUN (.*)$/gm)].map(([, text]) => `/bin/sh -c ${text}`)
  assert.deepEqual(
    history.slice(0, 5).map(({ CreatedBy, Comment, Size }) => [CreatedBy, Comment, Size]),
    [
      ['', squashed.Comment, 4],
      ['/bin/sh -c #(nop)  LABEL a=b', '', 0],
      [commands[2], '', 0],
      [commands[1], '', 0],
      ['/bin/sh -c #(nop)  ENV E=1', '', 0],
    ],
  )
  const saved = join(daemon.dataRoot, '..', 'saved.tar')
  await cli(['save', '-o', saved, 'squashed'])
  const names = await command('sh', [
    '-c',
    `mkdir -p ${saved}.d && tar -xf ${saved} -C ${saved}.d && for b in ${saved}.d/blobs/sha256/*; do tar -tf $b 2>/dev/null; done`,
  ])
  assert.doesNotMatch(names.stdout, /secret|two/)
  assert.match(names.stdout, /bin\/\.wh\.true/)
})

test('--squash of a build on nothing, and of one that changes no file', async () => {
  const scratch = await build('s', 'FROM scratch\nCOPY Dockerfile /a\nCOPY Dockerfile /b', '--squash')
  assert.equal(scratch.RootFS.Layers.length, 1)
  assert.match(scratch.Comment, /^create new from sha256:[0-9a-f]{64}$/)
  const busybox = (await daemon.api.json('GET', '/images/busybox/json')) as Inspected
  const empty = await build('e', 'FROM busybox\nENV A=1', '--squash')
  assert.deepEqual(empty.RootFS.Layers, busybox.RootFS.Layers)
  assert.equal((await build('b', 'FROM busybox', '--squash')).Id, busybox.Id)
})

test('--squash is sent by the docker CLI to an experimental engine only; the API takes it from whoever sends it', async () => {
  await using other = await startDaemon()
  const args = ['build', '--squash', '.']
  const { code, stderr } = await command(docker, args, { env: { DOCKER_HOST: other.host, DOCKER_BUILDKIT: '0' } })
  assert.equal(code, 1)
  assert.match(stderr, /"--squash" is only supported on a Docker daemon with experimental features enabled/)
  const content = Buffer.from('FROM scratch\nCOPY Dockerfile /a\nCOPY Dockerfile /b')
  const tar = writeTar([{ entry: tarEntry({ path: 'Dockerfile', sizeBytes: content.length }), content }])
  const body = Buffer.concat(await Array.fromAsync(tar))
  const { text } = await other.api.request('POST', '/build?squash=1&t=s', body, {
    headers: { 'Content-Type': 'application/x-tar' },
  })
  assert.match(text, /Successfully tagged s:latest/)
  assert.equal(((await other.api.json('GET', '/images/s/json')) as Inspected).RootFS.Layers.length, 1)
})
