import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localDirectories, toldArguments, versionControl } from './build-facts.ts'
import { decodeAttestations } from './decode-attestations.ts'
import { packageUrl } from './package-url.ts'

test('decodeAttestations() takes what a user asks for, and not what clients ask for by themselves', () => {
  const provenanceOf = (value: string) => decodeAttestations({ 'attest:provenance': value }).provenance
  assert.equal(provenanceOf('mode=min,inline-only=true'), undefined)
  assert.equal(provenanceOf('disabled=true'), undefined)
  const common = { version: 'v0.2', builderId: '', isReproducible: false }
  assert.deepEqual(provenanceOf(''), { mode: 'max', ...common })
  assert.deepEqual(provenanceOf('mode=min'), { mode: 'min', ...common })
  assert.deepEqual(provenanceOf('mode=full,version=v1,builder-id=me,reproducible=true'), {
    mode: 'max',
    version: 'v1',
    builderId: 'me',
    isReproducible: true,
  })
})

for (const [name, value] of [
  ['attest:provenance', 'mode=most'],
  ['attest:provenance', 'version=v9'],
  ['attest:provenance', 'what=ever'],
  ['attest:provenance', 'mode'],
  ['attest:provenance', 'reproducible=perhaps'],
  ['attest:sbom', 'generator=x'],
  ['attest:__proto__', ''],
] as const) {
  test(`decodeAttestations() refuses ${name}=${value}`, () => {
    assert.throws(() => decodeAttestations({ [name]: value }), { kind: 'invalid' })
  })
}

test('packageUrl() writes images as BuildKit does', () => {
  const platform = { os: 'linux', architecture: 'amd64' }
  assert.equal(
    packageUrl('docker.io/library/busybox:latest', platform),
    'pkg:docker/busybox@latest?platform=linux%2Famd64',
  )
  assert.equal(packageUrl('127.0.0.1:5000/a/b:v1', undefined), 'pkg:docker/127.0.0.1:5000/a/b@v1')
  const digest = `sha256:${'a'.repeat(64)}`
  assert.equal(packageUrl(`me/x@${digest}`, undefined), `pkg:docker/me/x?digest=${digest}`)
})

test('toldArguments() leaves out what is the client’s own, and passwords of URLs', () => {
  const attributes = {
    'build-arg:A': '1',
    'label:l': 'x',
    target: 't',
    context: 'https://me:word@host/repo.git#main',
    'context:base': 'docker-image://busybox',
    'local-sessionid:context': 'abc',
    'attest:provenance': '',
    'vcs:source': 'https://me:word@host/repo.git',
    'vcs:localdir:context': '.',
    platform: 'linux/amd64',
    filename: 'Dockerfile',
  }
  assert.deepEqual(toldArguments(attributes), {
    'build-arg:A': '1',
    'label:l': 'x',
    target: 't',
    context: 'https://xxxxx:xxxxx@host/repo.git#main',
    'context:base': 'docker-image://busybox',
  })
  assert.deepEqual(versionControl(attributes), { source: 'https://xxxxx:xxxxx@host/repo.git', 'localdir:context': '.' })
  assert.deepEqual(localDirectories({ 'context:more': 'local:more' }), [
    { name: 'context' },
    { name: 'dockerfile' },
    { name: 'more' },
  ])
  assert.deepEqual(localDirectories(attributes), [])
})
