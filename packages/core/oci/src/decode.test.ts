import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeImageConfig, maxConfigBytes } from './decode-image-config.ts'
import { decodeDocument, decodeIndex, decodeManifest, maxManifestBytes } from './decode-manifest.ts'
import { hostPlatform } from './platform.ts'

const digest = `sha256:${'a'.repeat(64)}`
const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 3 }
const manifest = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: { ...descriptor, mediaType: 'application/vnd.oci.image.config.v1+json' },
  layers: [descriptor],
}
const index = { schemaVersion: 2, manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 'amd64' } }] }

const refusesManifest = (document: unknown, message: string | RegExp) =>
  assert.throws(() => decodeDocument(typeof document === 'string' ? document : JSON.stringify(document)), {
    kind: 'invalid',
    message,
  })

test('decodeDocument() tells a manifest from an index', () => {
  assert.deepEqual(decodeDocument(JSON.stringify(manifest)), { kind: 'manifest', manifest })
  assert.deepEqual(decodeDocument(JSON.stringify(index)), { kind: 'index', index })
})

test('decodeDocument() refuses a document that is both, by fields or by media type', () => {
  refusesManifest({ ...manifest, manifests: [] }, /both layers and manifests/)
  refusesManifest({ ...index, config: manifest.config }, /both layers and manifests/)
  refusesManifest({ ...index, mediaType: manifest.mediaType }, /does not fit the document, which is an index/)
  assert.throws(
    () => decodeDocument(JSON.stringify(manifest), 'application/vnd.oci.image.index.v1+json'),
    /does not fit the document, which is a manifest/,
  )
})

test('decodeDocument() refuses schema 1 by name', () => {
  refusesManifest({ schemaVersion: 1, fsLayers: [], history: [] }, /schema 1 is not supported/)
  assert.throws(() => decodeDocument('{}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'), /schema 1/)
})

test('decodeDocument() names the field that is wrong', () => {
  refusesManifest('{', 'manifest: not valid JSON')
  refusesManifest('[]', 'manifest: expected an object, got an array')
  refusesManifest('null', 'manifest: expected an object, got null')
  refusesManifest({}, 'manifest: has neither layers nor manifests')
  refusesManifest({ ...manifest, schemaVersion: 3 }, 'manifest.schemaVersion: expected 2, got 3')
  refusesManifest({ ...manifest, layers: {} }, 'manifest.layers: expected an array, got an object')
  refusesManifest({ ...manifest, layers: [descriptor, 7] }, 'manifest.layers[1]: expected an object, got 7')
  refusesManifest(
    { ...manifest, layers: [{ ...descriptor, digest: 'sha256:../../x' }] },
    /^manifest\.layers\[0\]\.digest: expected a digest/,
  )
  refusesManifest(
    { ...manifest, layers: [{ ...descriptor, size: -1 }] },
    'manifest.layers[0].size: expected a size, got -1',
  )
  refusesManifest({ ...manifest, layers: [{ ...descriptor, size: 1e300 }] }, /size: expected an integer/)
  refusesManifest({ ...manifest, annotations: { a: 1 } }, 'manifest.annotations["a"]: expected a string, got 1')
  refusesManifest(
    { ...index, manifests: [{ ...descriptor, platform: { architecture: 'amd64', os: 1 } }] },
    'manifest.manifests[0].platform.os: expected a string, got 1',
  )
  refusesManifest(' '.repeat(maxManifestBytes + 1), /larger than/)
  refusesManifest({ ...manifest, layers: Array.from({ length: 10_001 }, () => descriptor) }, /more than 10000 entries/)
  assert.throws(() => decodeDocument(Buffer.from([0x22, 0xff, 0x22])), /not valid UTF-8/)
})

test('decodeManifest() and decodeIndex() refuse the other kind', () => {
  assert.throws(() => decodeManifest(JSON.stringify(index)), /is an index/)
  assert.throws(() => decodeIndex(JSON.stringify(manifest)), /is the manifest of one image/)
})

test('decodeDocument() keeps a key named __proto__ a key', () => {
  const { annotations } = decodeManifest(
    `{"schemaVersion":2,"config":${JSON.stringify(manifest.config)},"annotations":{"__proto__":"x"}}`,
  )
  assert.deepEqual(Object.entries(annotations ?? {}), [['__proto__', 'x']])
})

test('decodeImageConfig() takes what Docker writes', () => {
  const config = {
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: {
      Env: ['A=b'],
      Cmd: null,
      Entrypoint: 'sh',
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9 },
      Labels: {},
      AttachStdin: false,
    },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created_by: 'x', empty_layer: true }],
    unknown: 1,
  }
  assert.deepEqual(decodeImageConfig(JSON.stringify(config)), {
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: {
      Env: ['A=b'],
      Entrypoint: ['sh'],
      ExposedPorts: { '80/tcp': {} },
      Healthcheck: { Test: ['CMD', 'x'], Interval: 1e9 },
      Labels: {},
    },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created_by: 'x', empty_layer: true }],
  })
})

test('decodeImageConfig() fills in the platform of this host', () => {
  const { os, architecture } = decodeImageConfig('{"rootfs":{"diff_ids":null}}')
  assert.deepEqual({ os, architecture }, { os: 'linux', architecture: hostPlatform().architecture })
})

const refusesConfig = (text: string, message: string | RegExp) =>
  assert.throws(() => decodeImageConfig(text), { kind: 'invalid', message })

test('decodeImageConfig() names the field that is wrong', () => {
  refusesConfig('{}', 'invalid image JSON, no RootFS key')
  refusesConfig(
    '{"rootfs":{"diff_ids":["sha256:x"]}}',
    'image config.rootfs.diff_ids[0]: expected a digest, got "sha256:x"',
  )
  refusesConfig('{"rootfs":{},"config":{"Env":{}}}', 'image config.config.Env: expected an array, got an object')
  refusesConfig(
    '{"rootfs":{},"config":{"Labels":{"a":null}}}',
    'image config.config.Labels["a"]: expected a string, got null',
  )
  refusesConfig('{"rootfs":{},"os":5}', 'image config.os: expected a string, got 5')
  refusesConfig(' '.repeat(maxConfigBytes + 1), /larger than/)
})
