import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDockerRegistry } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'
import { type Index, openLayout } from './oci-layout.ts'

const { daemon, client } = await startBuildx({ args: ['--insecure-registry', '127.0.0.1:5000'] })

const dockerfile = `FROM busybox AS build
ARG V=1
RUN --mount=type=secret,id=s,required=true cat /run/secrets/s > /dev/null; echo $V > /out
FROM scratch
COPY --from=build /out /out
`
const secret = 'what nobody is told'

const context = () => client.context({ Dockerfile: dockerfile, secret })
const flags = ['--secret', 'id=s,src=secret', '--build-arg', 'V=2', '--label', 'l=m']

interface Statement {
  readonly _type: string
  readonly predicateType: string
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[]
  readonly predicate: Readonly<Record<string, unknown>>
}

/** The statements about the member of an index, found by the rules of BuildKit's layout. */
function statementsOf(index: Index, document: (digest: string) => unknown, about: string): Statement[] {
  const [found, ...more] = index.manifests.filter(
    ({ annotations }) => annotations?.['vnd.docker.reference.digest'] === about,
  )
  assert.deepEqual(more, [])
  assert.deepEqual(found?.platform, { architecture: 'unknown', os: 'unknown' })
  assert.equal(found?.annotations?.['vnd.docker.reference.type'], 'attestation-manifest')
  const manifest = document(found?.digest ?? '') as {
    config: { digest: string }
    layers: { mediaType: string; digest: string; annotations: Record<string, string> }[]
  }
  const config = document(manifest.config.digest) as { rootfs: { diff_ids: string[] } }
  assert.deepEqual(
    config.rootfs.diff_ids,
    manifest.layers.map(({ digest }) => digest),
  )
  return manifest.layers.map(({ mediaType, digest, annotations }) => {
    const statement = document(digest) as Statement
    assert.equal(mediaType, 'application/vnd.in-toto+json')
    assert.equal(annotations['in-toto.io/predicate-type'], statement.predicateType)
    return statement
  })
}

async function provenanceOf(...args: string[]): Promise<{ statement: Statement; image: string; all: string }> {
  const folder = context()
  await client.ok(folder, ['build', '-q', ...flags, ...args, '-t', 'prov:1', '-o', 'type=oci,dest=p.tar', '.'])
  const { index, document } = openLayout(folder, 'p.tar')
  const image = index.manifests[0]?.digest ?? ''
  const [statement] = statementsOf(index, document, image)
  assert.ok(statement)
  return { statement, image, all: JSON.stringify(statement) }
}

test('--provenance=mode=max tells of images, arguments, secrets by id, and the Dockerfile; of no secret', async () => {
  const { statement, image, all } = await provenanceOf('--provenance=mode=max')
  const { predicate, subject } = statement
  assert.deepEqual(
    [statement._type, statement.predicateType],
    ['https://in-toto.io/Statement/v0.1', 'https://slsa.dev/provenance/v0.2'],
  )
  assert.deepEqual(subject, [
    { name: 'pkg:docker/prov@1?platform=linux%2Famd64', digest: { sha256: image.slice('sha256:'.length) } },
  ])
  const [material] = predicate['materials'] as { uri: string; digest: { sha256: string } }[]
  assert.equal(material?.uri, 'pkg:docker/busybox@latest?platform=linux%2Famd64')
  assert.match(material?.digest.sha256 ?? '', /^[0-9a-f]{64}$/)
  assert.deepEqual(predicate['invocation'], {
    configSource: { entryPoint: 'Dockerfile' },
    parameters: {
      frontend: 'dockerfile.v0',
      args: { 'build-arg:V': '2', 'label:l': 'm' },
      secrets: [{ id: 's' }],
      locals: [{ name: 'context' }, { name: 'dockerfile' }],
    },
    environment: { platform: 'linux/amd64' },
  })
  assert.ok(all.includes(Buffer.from(dockerfile).toString('base64')))
  assert.doesNotMatch(all, new RegExp(secret))
})

test('--provenance=mode=min keeps arguments and Dockerfile to itself; version=v1 is the newer form', async () => {
  const min = await provenanceOf('--provenance=mode=min')
  assert.doesNotMatch(min.all, /build-arg|label:|"secrets"|"infos"/)
  assert.deepEqual((min.statement.predicate['metadata'] as { completeness: unknown }).completeness, {
    parameters: false,
    environment: true,
    materials: false,
  })
  const { statement } = await provenanceOf('--provenance=mode=max,version=v1,builder-id=https://builder.test')
  assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1')
  const { buildDefinition, runDetails } = statement.predicate as Record<string, Record<string, unknown>>
  assert.deepEqual(buildDefinition?.['internalParameters'], { builderPlatform: 'linux/amd64' })
  assert.deepEqual(runDetails?.['builder'], { id: 'https://builder.test' })
})

test('attestations of an image in the store go with its index: to a registry, and away with its name', async () => {
  await using registry = await startDockerRegistry(daemon.sandbox)
  const folder = context()
  const name = `${registry.host}/attested:1`
  const platforms = ['--platform', 'linux/amd64,linux/arm64']
  const build = ['buildx', 'build', '-q', ...flags, ...platforms, '--provenance=true', '-t', name, '.']
  const arm = dockerfile.replace('FROM busybox', 'FROM --platform=$BUILDPLATFORM busybox')
  const cross = client.context({ Dockerfile: arm, secret })
  await client.ok(cross, build)
  await client.ok(cross, ['push', '-q', name])
  const index = JSON.parse(registry.manifest('attested', '1').bytes.toString()) as Index
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform.architecture),
    ['amd64', 'arm64', 'unknown', 'unknown'],
  )
  const document = (digest: string): unknown => JSON.parse(registry.blob(digest).toString())
  for (const { digest, platform } of index.manifests.slice(0, 2)) {
    const [statement] = statementsOf(index, document, digest)
    assert.equal(statement?.subject[0]?.digest.sha256, digest.slice('sha256:'.length))
    assert.match(statement?.subject[0]?.name ?? '', new RegExp(`platform=linux%2F${platform.architecture}$`))
  }
  const { stdout: tree } = await client.ok(folder, ['image', 'ls', '--tree', name])
  assert.doesNotMatch(tree, /unknown/)
  await client.ok(folder, ['rmi', name])
})

test('files that are exported have their attestations beside them', async () => {
  const folder = context()
  await client.ok(folder, ['build', '-q', ...flags, '--provenance=mode=max', '-o', 'out', '.'])
  const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8')) as Statement
  assert.equal(read('out/provenance.json').predicateType, 'https://slsa.dev/provenance/v0.2')
  await client.ok(folder, [
    'build',
    '-q',
    ...flags,
    '--provenance=true',
    '-o',
    'type=tar,dest=out.tar,attestation-prefix=p-',
    '.',
  ])
  const listed = execFileSync('tar', ['-tf', join(folder, 'out.tar')], { encoding: 'utf8' })
  assert.match(listed, /^p-provenance\.json$/m)
})

/** An image that scans another, by a script. */
async function makeGenerator(name: string, script: string): Promise<void> {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nCOPY scan /scan\nENTRYPOINT ["sh", "/scan"]\n',
    scan: script,
  })
  await client.ok(folder, ['build', '-q', '-t', name, '.'])
}

test('an SBOM is what its generator says of the files, beside the provenance, and as a file', async () => {
  const list = 'cd $BUILDKIT_SCAN_SOURCE; touch x 2>/dev/null && exit 9; for f in *; do printf "%s" "\\"$f\\""; done'
  const head = '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document"'
  const document = `{"spdxVersion":"SPDX-2.3","files":[%s]}`
  const script = `printf '${head},"predicate":${document}}' "$(${list})" > $BUILDKIT_SCAN_DESTINATION/sbom.spdx.json`
  await makeGenerator('generator-files', script)
  const folder = context()
  const sbom = ['--sbom=generator=generator-files', '--provenance=true']
  await client.ok(folder, ['build', '-q', ...flags, ...sbom, '-t', 'sbom:1', '-o', 'type=oci,dest=s.tar', '.'])
  const { index, document: read } = openLayout(folder, 's.tar')
  const image = index.manifests[0]?.digest ?? ''
  const [found, provenance] = statementsOf(index, read, image)
  assert.equal(found?.predicateType, 'https://spdx.dev/Document')
  assert.deepEqual(found?.predicate, { spdxVersion: 'SPDX-2.3', files: ['out'] })
  assert.deepEqual(found?.subject, provenance?.subject)
  await client.ok(folder, ['build', '-q', ...flags, ...sbom, '-o', 'there', '.'])
  const written = JSON.parse(readFileSync(join(folder, 'there/sbom.spdx.json'), 'utf8')) as Statement
  assert.deepEqual(written.predicate, found?.predicate)
})

test('without a wish there are none, and what is not done is refused', async () => {
  const folder = context()
  await makeGenerator('generator-silent', 'true')
  await makeGenerator('generator-links', 'ln -s /etc/passwd $BUILDKIT_SCAN_DESTINATION/sbom.spdx.json')
  await client.ok(folder, ['build', '-q', ...flags, '-t', 'plain:1', '.'])
  const { stdout } = await client.ok(folder, ['image', 'ls', '--tree', 'plain:1'])
  assert.doesNotMatch(stdout, /linux\//)
  for (const [args, message] of [
    [['--provenance=mode=most'], /invalid mode "most"/],
    [['--attest', 'type=vex'], /attestations of the type vex are not supported/],
    [['--attest', 'type=sbom,depth=9'], /option depth of attestation sbom is not supported/],
    [['--sbom=true', '--build-arg', 'BUILDKIT_SBOM_SCAN_STAGE=true'], /BUILDKIT_SBOM_SCAN_STAGE is not supported/],
    [['--sbom=generator=generator-silent'], /generator docker.io\/library\/generator-silent:latest wrote nothing/],
    [['--sbom=generator=generator-links'], /open sbom\.spdx\.json: no such file or directory/],
  ] as const) {
    const { code, stderr } = await client.run(folder, ['build', ...flags, ...args, '.'])
    assert.notEqual(code, 0)
    assert.match(stderr, message)
  }
})
