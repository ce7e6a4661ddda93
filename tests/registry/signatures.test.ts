import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import {
  Cli,
  type DockerRegistry,
  fixtureImage,
  startDockerRegistry,
  type StoredImage,
  useEngine,
} from '@berth/testing'

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })

let registry: DockerRegistry
after(() => registry?.[Symbol.asyncDispose]())
const engine = useEngine({ images: [], argsIn: (folder) => ['--signature-policy', writePolicy(folder)] })
const docker = new Cli('docker', engine)
let image: StoredImage

function writePolicy(folder: string): string {
  writeFileSync(join(folder, 'team.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const rules = [{ images: ['127.0.0.1:5000/team/**'], require: 'signature', keys: ['team.pub'] }]
  const path = join(folder, 'policy.json')
  writeFileSync(path, JSON.stringify({ rules }))
  return path
}

beforeEach(async () => {
  if (registry) return
  registry = await startDockerRegistry(engine.daemon!.sandbox)
  image = await registry.add('team/app', { ...(await fixtureImage('busybox')), reference: 'app:1' })
  await registry.add('other/app', { ...(await fixtureImage('busybox')), reference: 'app:1' })
})

/** What `cosign sign --key` leaves beside an image: https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
function addSignature(digest: string, key = privateKey): void {
  const claim = {
    critical: {
      identity: { 'docker-reference': '127.0.0.1:5000/team/app' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  }
  const payload = registry.addManifest('team/app', 'payload', 'application/json', claim)
  const config = registry.addManifest('team/app', 'config', 'application/json', {})
  const signature = sign('sha256', Buffer.from(JSON.stringify(claim)), key).toString('base64')
  const layer = {
    mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
    digest: payload.digest,
    size: payload.size,
    annotations: { 'dev.cosignproject.cosign/signature': signature },
  }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const document = {
    schemaVersion: 2,
    mediaType,
    config: { ...config, mediaType: 'application/vnd.oci.image.config.v1+json' },
    layers: [layer],
  }
  registry.addManifest('team/app', `${image.digest.replace(':', '-')}.sig`, mediaType, document)
}

test('an image that the policy wants signed is refused before anything of it is fetched', async () => {
  const words = await docker.fails('pull', '127.0.0.1:5000/team/app:1')
  assert.match(
    words,
    /may not be pulled: the signature policy wants 1 of the keys team\.pub to have signed sha256:.*: it has no signature/,
  )
  assert.equal(
    registry.requests().some((request) => request.includes('/blobs/')),
    false,
  )
  assert.equal(await docker.ok('images', '-q'), '')
})

test('names that the policy demands nothing of are pulled as ever', async () => {
  await docker.ok('pull', '127.0.0.1:5000/other/app:1')
  await docker.ok('rmi', '127.0.0.1:5000/other/app:1')
})

test('a signature by another key, or of another image, is none', async () => {
  addSignature(image.digest, stranger.privateKey)
  assert.match(await docker.fails('pull', '127.0.0.1:5000/team/app:1'), /a signature is of none of the keys/)
  addSignature(`sha256:${createHash('sha256').update('another').digest('hex')}`)
  assert.match(await docker.fails('pull', '127.0.0.1:5000/team/app:1'), /a signature is of sha256:/)
  assert.equal(await docker.ok('images', '-q'), '')
})

test('a signed image is pulled, and runs', async () => {
  addSignature(image.digest)
  await docker.ok('pull', '127.0.0.1:5000/team/app:1')
  assert.equal(await docker.ok('run', '--rm', '127.0.0.1:5000/team/app:1', 'echo', 'signed'), 'signed')
})
