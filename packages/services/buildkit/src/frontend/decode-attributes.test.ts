import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAttributes, decodeEntitlements } from './decode-attributes.ts'

test('decodeAttributes() reads what clients send', () => {
  const decoded = decodeAttributes({
    filename: 'sub/My.Dockerfile',
    target: 'app',
    'build-arg:A': '1',
    'label:x.y': 'z',
    'context:base': 'input:0-a',
    'local-sessionid:context': 's1',
    'no-cache': 'One,two',
    'image-resolve-mode': 'pull',
    'force-network-mode': 'none',
    'add-hosts': 'a=1.2.3.4,b=::1',
    'shm-size': '1024',
    ulimit: 'nofile=10:20,nproc=5',
  })
  assert.deepEqual(decoded, {
    filename: 'sub/My.Dockerfile',
    dockerfileDirectory: undefined,
    context: undefined,
    namedContexts: new Map([['base', 'input:0-a']]),
    sessionOf: new Map([['context', 's1']]),
    requestId: '',
    attestations: { provenance: undefined, sbom: undefined },
    args: { A: '1' },
    labels: { 'x.y': 'z' },
    target: 'app',
    platforms: [''],
    isMultiPlatform: false,
    noCache: ['one', 'two'],
    pulls: true,
    run: {
      network: 'none',
      extraHosts: ['a:1.2.3.4', 'b:::1'],
      shmSizeBytes: 1024,
      ulimits: [
        { name: 'nofile', soft: 10, hard: 20 },
        { name: 'nproc', soft: 5, hard: 5 },
      ],
      cgroupParent: '',
      resources: {},
    },
  })
  assert.deepEqual(decodeAttributes({ 'no-cache': '' }).noCache, true)
  assert.deepEqual(decodeAttributes({}).noCache, false)
})

for (const [name, value] of [
  ['platform', 'linux/amd64,nothing/of/this/kind'],
  ['multi-platform', 'perhaps'],
  ['image-resolve-mode', 'x'],
  ['force-network-mode', 'container:x'],
  ['shm-size', '1g'],
  ['ulimit', 'nofile'],
] as const) {
  test(`decodeAttributes() refuses ${name}=${value}`, () => {
    assert.throws(() => decodeAttributes({ [name]: value }), { kind: 'invalid' })
  })
}

test('decodeAttributes() has each platform once, in canonical words', () => {
  const { platforms, isMultiPlatform } = decodeAttributes({ platform: 'linux/amd64,linux/aarch64,linux/arm64/v8,arm' })
  assert.deepEqual([platforms, isMultiPlatform], [['linux/amd64', 'linux/arm64', 'linux/arm/v7'], true])
  assert.equal(decodeAttributes({ platform: 'linux/amd64' }).isMultiPlatform, false)
  assert.equal(decodeAttributes({ platform: 'linux/amd64', 'multi-platform': 'true' }).isMultiPlatform, true)
})

test('decodeEntitlements() grants the network of the host and nothing else', () => {
  assert.deepEqual(decodeEntitlements(['network.host'], ['network.host']), ['network.host'])
  assert.throws(() => decodeEntitlements(['security.insecure'], ['network.host']), {
    message: 'granting entitlement security.insecure is not allowed by build daemon configuration',
  })
})
