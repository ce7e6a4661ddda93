import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { notFound, silentLogger, unavailable } from '@berth/base'
import { type Descriptor, type Digest, hexOf, mediaTypes, parseReference, sha256 } from '@berth/oci'
import type { Repository } from '@berth/registry'
import { openSignatureGate } from './signature-gate.ts'

const target: Descriptor = { mediaType: mediaTypes.manifest, digest: sha256('the image'), size: 1 }
const other = sha256('another image')
const signal = new AbortController().signal

const keys = { p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }), ed: generateKeyPairSync('ed25519') }

/** The payload as cosign writes it. */
const payloadFor = (digest: Digest, type = 'cosign container image signature'): Buffer =>
  Buffer.from(
    `{"critical":{"identity":{"docker-reference":"reg.example/team/app"},"image":{"docker-manifest-digest":"${digest}"},"type":"${type}"},"optional":null}`,
  )

interface Signature {
  readonly payload: Buffer
  readonly signature: string
}

function signed(payload: Buffer, key: KeyObject): Signature {
  const algorithm = key.asymmetricKeyType === 'ec' ? 'sha256' : null
  return { payload, signature: sign(algorithm, payload, key).toString('base64') }
}

interface Beside {
  readonly tagged?: readonly Signature[]
  readonly referring?: readonly Signature[]
  readonly failure?: Error
}

/** A repository that has the image's signatures by tag, by referrer, or fails. */
function repositoryOf({ tagged, referring, failure }: Beside): Repository {
  const blobs = new Map<string, Buffer>()
  const manifestOf = (signatures: readonly Signature[]): Buffer => {
    const layers = signatures.map(({ payload, signature }) => {
      const digest = sha256(payload)
      blobs.set(digest, payload)
      const annotations = { 'dev.cosignproject.cosign/signature': signature }
      return {
        mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
        digest,
        size: payload.length,
        annotations,
      }
    })
    const config = { mediaType: mediaTypes.config, digest: sha256('{}'), size: 2 }
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }))
  }
  const byTag = tagged && manifestOf(tagged)
  const byReferrer = referring && manifestOf(referring)
  const manifest = async (reference: string) => {
    if (failure) throw failure
    const isTag = reference === `sha256-${hexOf(target.digest)}.sig`
    const bytes = isTag ? byTag : byReferrer && reference === sha256(byReferrer) ? byReferrer : undefined
    if (!bytes) throw notFound('manifest unknown')
    return { descriptor: { ...target, digest: sha256(bytes) }, bytes }
  }
  const referrers = async () =>
    byReferrer ? [{ mediaType: mediaTypes.manifest, digest: sha256(byReferrer), size: byReferrer.length }] : []
  const readBlob = async (digest: Digest) => blobs.get(digest) ?? assert.fail()
  return { manifest, referrers, readBlob } as unknown as Repository
}

function setUp(t: TestContext, policy: object) {
  const folder = mkdtempSync(join(tmpdir(), 'berth-policy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, { publicKey }] of Object.entries(keys)) {
    writeFileSync(join(folder, `${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }))
  }
  const path = join(folder, 'policy.json')
  const write = (document: object | string) =>
    writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document))
  write(policy)
  const gate = openSignatureGate(path, silentLogger)
  const admit = (beside: Beside, name = 'reg.example/team/app:1') =>
    gate.admit({ reference: parseReference(name), target, repository: repositoryOf(beside) }, signal)
  return { folder, path, write, admit }
}

const byP256 = { rules: [{ images: ['reg.example/team/*'], require: 'signature', keys: ['p256.pub'] }] }

test('admit() takes signatures of both kinds of keys, by tag and by referrer', async (t) => {
  const { admit } = setUp(t, byP256)
  await admit({ tagged: [signed(payloadFor(target.digest), keys.p256.privateKey)] })
  await admit({ referring: [signed(payloadFor(target.digest), keys.p256.privateKey)] })
  const ed = setUp(t, { rules: [{ images: ['**'], require: 'signature', keys: ['ed.pub'] }] })
  await ed.admit({ tagged: [signed(payloadFor(target.digest), keys.ed.privateKey)] })
})

test('admit() finds the right signature among wrong ones', async (t) => {
  const { admit } = setUp(t, byP256)
  const wrong = signed(payloadFor(target.digest), keys.ed.privateKey)
  const right = signed(payloadFor(target.digest), keys.p256.privateKey)
  await admit({ tagged: [wrong], referring: [wrong, right] })
})

test('admit() refuses what is unsigned, signed by others, for others, altered or of another kind', async (t) => {
  const { admit } = setUp(t, byP256)
  const good = signed(payloadFor(target.digest), keys.p256.privateKey)
  const refusals: readonly (readonly [Beside, RegExp])[] = [
    [{}, /the keys p256\.pub to have signed sha256:[0-9a-f]{64}: it has no signature$/],
    [{ tagged: [signed(payloadFor(target.digest), keys.ed.privateKey)] }, /of none of the keys$/],
    [{ tagged: [signed(payloadFor(other), keys.p256.privateKey)] }, new RegExp(`a signature is of ${other}$`)],
    [{ tagged: [{ ...good, payload: payloadFor(other) }] }, /of none of the keys$/],
    [{ tagged: [signed(payloadFor(target.digest, 'atomic'), keys.p256.privateKey)] }, /another kind: "atomic"$/],
    [{ tagged: [signed(Buffer.from('nonsense'), keys.p256.privateKey)] }, /has no payload/],
    [{ tagged: [{ ...good, signature: '' }] }, /of none of the keys$/],
    [{ failure: unavailable('connection refused') }, /could not be read: connection refused$/],
  ]
  for (const [beside, message] of refusals) {
    await assert.rejects(admit(beside), { kind: 'forbidden', message })
  }
})

test('admit() counts different keys against the threshold', async (t) => {
  const rule = { images: ['**'], require: 'signature', keys: ['p256.pub', 'ed.pub'], threshold: 2 }
  const { admit } = setUp(t, { rules: [rule] })
  const [one, two] = [keys.p256, keys.ed].map(({ privateKey }) => signed(payloadFor(target.digest), privateKey))
  await assert.rejects(admit({ tagged: [one!, one!] }), { kind: 'forbidden' })
  await admit({ tagged: [one!], referring: [two!] })
})

test('admit() goes by the first rule that knows the name', async (t) => {
  const { admit } = setUp(t, {
    rules: [
      { images: ['reg.example/team/free'], require: 'nothing' },
      { images: ['reg.example/team/**', 'docker.io/library/*'], require: 'signature', keys: ['p256.pub'] },
      { images: ['bad.example/**'], require: 'refusal' },
    ],
    default: 'allow',
  })
  await admit({}, 'reg.example/team/free:1')
  await admit({}, 'elsewhere.example/x')
  for (const name of ['reg.example/team/a', 'reg.example/team/a/b', 'busybox', 'bad.example/x']) {
    await assert.rejects(admit({}, name), { kind: 'forbidden' }, name)
  }
  await admit({}, 'reg-example/team/a')
  const strict = setUp(t, { rules: [], default: 'refuse' })
  await assert.rejects(strict.admit({}, 'busybox'), {
    message: 'busybox may not be pulled: the signature policy refuses it',
  })
})

test('admit() follows the file, and refuses everything while it is broken', async (t) => {
  const { admit, write } = setUp(t, { rules: [] })
  await admit({})
  write(byP256)
  await assert.rejects(admit({}), { kind: 'forbidden' })
  write('{ nonsense')
  await assert.rejects(admit({}, 'elsewhere.example/x'), { kind: 'invalid', message: /^signature policy / })
  write({ rules: [] })
  await admit({})
})

test('openSignatureGate() refuses a policy that would not do what it looks like', (t) => {
  const { folder } = setUp(t, { rules: [] })
  writeFileSync(
    join(folder, 'rsa.pub'),
    generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }),
  )
  const rule = { images: ['**'], require: 'signature', keys: ['p256.pub'] }
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ rules: [{ ...rule, requires: 1 }] }, /unknown member "requires"/],
    [{ rules: [], defaults: 'refuse' }, /unknown member "defaults"/],
    [{ rules: [{ ...rule, require: 'signatures' }] }, /want "signature", "nothing" or "refusal"/],
    [{ rules: [{ ...rule, keys: [] }] }, /a signature needs a key/],
    [{ rules: [{ ...rule, keys: ['absent.pub'] }] }, /ENOENT/],
    [{ rules: [{ ...rule, keys: ['rsa.pub'] }] }, /key rsa\.pub: want ECDSA on P-256 or Ed25519, not rsa/],
    [{ rules: [{ ...rule, threshold: 0 }] }, /0 of 1 different keys/],
    [{ rules: [{ ...rule, keys: ['p256.pub', 'p256.pub'], threshold: 2 }] }, /2 of 1 different keys/],
    [{ rules: [{ ...rule, images: ['a(b'] }] }, /no pattern of names/],
    [{ rules: [{ ...rule, images: [] }] }, /names no image/],
    [{ rules: [{ images: ['**'], require: 'nothing', keys: ['p256.pub'] }] }, /only "require": "signature" has keys/],
    [{}, /rules/],
  ]
  for (const [policy, message] of refused) {
    const path = join(folder, 'broken.json')
    writeFileSync(path, JSON.stringify(policy))
    assert.throws(() => openSignatureGate(path, silentLogger), { kind: 'invalid', message }, JSON.stringify(policy))
  }
})
