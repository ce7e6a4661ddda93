import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { type BerthRegistry, command, startBerthRegistry } from '@berth/testing'
import { digestOf, manifestType, RegistryClient } from './registry-client.ts'

// Manifest lists are the clients' own work: docker's and ours on one registry, each with its own folder.
const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))
const docker = process.env['BERTH_DOCKER_CLI'] ?? 'docker'
const folder = mkdtempSync(join(tmpdir(), 'berth-manifest-'))
let registry: BerthRegistry
before(async () => {
  registry = await startBerthRegistry()
  const client = new RegistryClient(registry.host)
  for (const isDocker of [false, true]) {
    await pushImage(client, isDocker ? 'docker/app' : 'oci/app', 'amd64', { isDocker })
    await pushImage(client, isDocker ? 'docker/app' : 'oci/app', 'arm64', { isDocker, variant: 'v8' })
  }
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

interface Kind {
  readonly isDocker: boolean
  readonly variant?: string
}

async function pushImage(client: RegistryClient, name: string, architecture: string, kind: Kind): Promise<void> {
  const { isDocker, variant } = kind
  const text = `${name} ${architecture}`
  const configuration = { architecture, os: 'linux', variant, rootfs: { type: 'layers', diff_ids: [digestOf(text)] } }
  const types = isDocker
    ? ['application/vnd.docker.container.image.v1+json', 'application/vnd.docker.image.rootfs.diff.tar.gzip']
    : ['application/vnd.oci.image.config.v1+json', 'application/vnd.oci.image.layer.v1.tar+gzip']
  const config = await client.pushBlob(name, JSON.stringify(configuration), types[0])
  const layer = await client.pushBlob(name, text, types[1])
  const mediaType = isDocker ? 'application/vnd.docker.distribution.manifest.v2+json' : manifestType
  const answer = await client.putManifest(name, architecture, { schemaVersion: 2, mediaType, config, layers: [layer] })
  assert.equal(answer.status, 201, answer.text)
}

interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function manifest(
  program: 'docker' | 'berth',
  args: readonly string[],
  config: string = program,
): Promise<Outcome> {
  const env = { DOCKER_CONFIG: join(folder, config), BERTH_CONFIG: '', HOME: folder }
  const { code, stdout, stderr } = await command(program === 'berth' ? berth : docker, ['manifest', ...args], { env })
  return { code, out: stdout, err: stderr.replaceAll('docker', 'berth') }
}

/** Both must do and say the same; docker needs to be told that the registry has no TLS. */
async function both(...args: string[]): Promise<Outcome> {
  const [theirs, ours] = [await manifest('docker', args), await manifest('berth', args)]
  assert.deepEqual(ours, theirs, args.join(' '))
  return ours
}

for (const kind of ['docker', 'oci']) {
  test(`manifest lists of ${kind} images are made, annotated, shown and pushed as docker does it`, async () => {
    const [list, a, b] = [`${kind}/list:1`, `${kind}/app:amd64`, `${kind}/app:arm64`].map(
      (name) => `${registry.host}/${name}`,
    )
    const names = [list!, a!, b!] as const
    assert.equal((await both('create', '--insecure', ...names)).out, `Created manifest list ${list}\n`)
    await both('create', '--insecure', ...names)
    await both('create', '--insecure', '--amend', names[0], names[1])
    await both('inspect', names[0])
    await both('inspect', '-v', names[0])
    await both('inspect', names[0], names[2])
    await both('annotate', '--os', 'linux', '--arch', 'arm', '--variant', 'v7', '--os-version', '1', names[0], names[2])
    await both('annotate', '--os-features', 'x,y', names[0], names[2])
    await both('annotate', '--arch', 'nonsense', names[0], names[2])
    await both('annotate', '--arch', 'arm', names[0], `${names[1]}x`)
    await both('inspect', '-v', names[0])
    assert.match((await both('push', '--insecure', names[0])).out, /^(Pushed ref .*\n){2}sha256:[0-9a-f]{64}\n$/)
    await both('push', '--insecure', '--purge', names[0])
    await both('push', '--insecure', names[0])
    await both('rm', names[0])
    await both('inspect', '--insecure', names[0])
    await both('inspect', '--insecure', '-v', names[0])
    await both('inspect', '--insecure', names[1])
    await both('inspect', '--insecure', '-v', names[1])
    await both('create', '--insecure', `${registry.host}/${kind}/again:1`, names[0])
  })
}

test('what cannot be done is refused in docker’s words', async () => {
  const { host } = registry
  await both('inspect', '--insecure', `${host}/oci/app:none`)
  await both('create', '--insecure', `${host}/x:1`, `${host}/oci/app:none`)
  await both('create', '--insecure', 'elsewhere', `${host}/oci/app:amd64`)
  await both('push', '--insecure', 'elsewhere')
  await both('create', 'BAD', 'x')
  await both('rm', `${host}/no/list:1`)
})

test('a credential helper that is not there keeps nobody from what is public, and is told of once', async () => {
  mkdirSync(join(folder, 'absent'))
  writeFileSync(join(folder, 'absent', 'config.json'), '{"credsStore":"absent"}')
  const images = ['amd64', 'arm64'].map((tag) => `${registry.host}/oci/app:${tag}`)
  const create = ['create', '--insecure', `${registry.host}/oci/public:1`, ...images]
  const { code, err } = await manifest('berth', create, 'absent')
  assert.equal(code, 0, err)
  assert.match(err, /^WARNING: error getting credentials - err: .*executable file not found in \$PATH.*\n$/)
})

test('a list that docker began is finished by berth, and the other way round', async () => {
  const [list, image] = [`${registry.host}/oci/shared:1`, `${registry.host}/oci/app:amd64`]
  for (const [first, second] of [
    ['docker', 'berth'],
    ['berth', 'docker'],
  ] as const) {
    assert.equal((await manifest(first, ['create', '--insecure', list, image], 'shared')).code, 0)
    const pushed = await manifest(second, ['push', '--insecure', '--purge', list], 'shared')
    assert.deepEqual([pushed.code, pushed.err], [0, ''])
  }
})
