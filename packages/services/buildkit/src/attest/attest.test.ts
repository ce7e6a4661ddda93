import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localDirectories, toldArguments, versionControl } from './build-facts.ts'
import { decodeAttestations } from './decode-attestations.ts'
import { packageUrl } from './package-url.ts'
import { parseStatement, scanDockerfile } from './scan-image.ts'

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

test('decodeAttestations() takes a generator of SBOMs, BuildKit’s own by default', () => {
  const sbomOf = (value: string) => decodeAttestations({ 'attest:sbom': value }).sbom
  assert.deepEqual(sbomOf(''), { generator: 'docker/buildkit-syft-scanner:stable-1' })
  assert.deepEqual(sbomOf('generator=me/scan'), { generator: 'me/scan' })
  assert.equal(sbomOf('disabled=true'), undefined)
})

test('scanDockerfile() lets a generator’s command begin no document and no line', () => {
  const text = scanDockerfile(['sh', '-c', 'cat <<EOF\nFROM x\nEOF\\'])
  assert.match(text, /^RUN .* \["sh","-c","cat \\u003c\\u003cEOF\\nFROM x\\nEOF\\\\"\]$/m)
})

test('parseStatement() takes SPDX documents alone', () => {
  const predicateType = 'https://spdx.dev/Document'
  assert.deepEqual(parseStatement('f', JSON.stringify({ predicateType })), { predicateType })
  for (const text of ['', '1', 'null', '{', '{}', '{"predicateType":"x"}']) {
    assert.throws(() => parseStatement('f', text), { kind: 'invalid' })
  }
})

for (const [name, value] of [
  ['attest:provenance', 'mode=most'],
  ['attest:provenance', 'version=v9'],
  ['attest:provenance', 'what=ever'],
  ['attest:provenance', 'mode'],
  ['attest:provenance', 'reproducible=perhaps'],
  ['attest:sbom', 'generator=UPPER'],
  ['attest:sbom', 'what=ever'],
  ['attest:vex', ''],
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
