import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, type CommandResult } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'

const { daemon, client } = await startBuildx()

test('docker buildx bake builds linked targets, which share what they stand on', async () => {
  const folder = client.context({
    'docker-bake.json': JSON.stringify({
      group: { default: { targets: ['app', 'tool'] } },
      target: {
        base: { 'dockerfile-inline': 'FROM busybox\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /base' },
        app: { 'dockerfile-inline': 'FROM abase\nCMD cat /base', contexts: { abase: 'target:base' }, tags: ['app'] },
        tool: {
          'dockerfile-inline': 'FROM busybox\nCOPY --from=abase /base /base\nCOPY f /f\nCMD cat /base',
          contexts: { abase: 'target:base' },
          tags: ['tool'],
        },
      },
    }),
    f: 'f',
  })
  await client.ok(folder, ['buildx', 'bake'])
  assert.equal(await client.output('app'), await client.output('tool'))
})

const compose = `services:
  a:
    build: { context: ., dockerfile: A.Dockerfile, args: { WHO: compose } }
    image: composed-a
  b:
    build:
      context: .
      dockerfile_inline: "FROM abase\\nCMD cat /who"
      additional_contexts: { abase: "service:a" }
    image: composed-b
`

for (const [way, env] of [
  ['by bake', {}],
  ['by itself', { COMPOSE_BAKE: 'false' }],
] as const) {
  test(`docker compose build ${way}`, async () => {
    const folder = client.context({
      'compose.yaml': compose,
      'A.Dockerfile': 'FROM busybox\nARG WHO\nRUN echo $WHO > /who',
    })
    await client.ok(folder, ['compose', 'build'], { env })
    assert.equal(await client.output('composed-b'), 'compose\n')
    await client.ok(folder, ['rmi', 'composed-a', 'composed-b'])
  })
}

const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))

/** `berth buildx bake` by itself: no plugin is where it looks. */
const bakeByItself = (folder: string, ...args: string[]) =>
  command(berth, ['-H', daemon.host, 'buildx', 'bake', ...args], {
    cwd: folder,
    env: { DOCKER_CONFIG: join(client.folder, 'nothing'), BUILDX_NO_DEFAULT_ATTESTATIONS: '1' },
  })

const definition = `
variable "WHO" {
  default = "nobody"
}
group "default" {
  targets = ["app", "files", "many"]
}
target "_base" {
  dockerfile-inline = "FROM busybox\\nARG WHO\\nRUN echo $WHO > /who"
  args = { WHO = upper(WHO) }
}
target "app" {
  contexts = { base = "target:_base" }
  dockerfile-inline = "FROM base\\nCOPY f /f\\nCMD cat /who /f"
  labels = { who = "\${WHO}" }
  tags = ["bake-app"]
}
target "files" {
  contexts = { base = "target:_base" }
  dockerfile-inline = "FROM scratch\\nCOPY --from=base /who /"
  output = ["out"]
}
target "many" {
  matrix = { n = ["one", "two"] }
  name = "many-\${n}"
  dockerfile = "Dockerfile.many"
  args = { N = n }
  tags = ["bake-\${n}"]
}
`

/** What a bake leaves behind: what images say and do, what was written, and what was told of it. */
async function outcome(bake: (folder: string, ...args: string[]) => Promise<CommandResult>) {
  const folder = client.context({
    'docker-bake.hcl': definition,
    'Dockerfile.many': 'FROM busybox\nARG N\nENV N=$N\nCMD echo $N',
    f: 'f\n',
  })
  const { code, stderr } = await bake(folder, '--metadata-file', 'metadata.json', '--set', '_base.args.WHO=me')
  assert.equal(code, 0, stderr)
  const metadata = JSON.parse(readFileSync(join(folder, 'metadata.json'), 'utf8')) as Record<string, object>
  const inspect = await client.ok(folder, ['image', 'inspect', 'bake-app', '-f', '{{json .Config.Labels}}'])
  const outputs = {
    app: await client.output('bake-app'),
    one: await client.output('bake-one'),
    two: await client.output('bake-two'),
  }
  await client.ok(folder, ['rmi', '-f', 'bake-app', 'bake-one', 'bake-two'])
  return {
    outputs,
    labels: inspect.stdout,
    written: readFileSync(join(folder, 'out/who'), 'utf8'),
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, found]) => [name, Object.keys(found)])),
    steps: [
      ...new Set(
        stderr.match(/^#\d+ \[[\w-]+ internal\] load build definition.*$/gm)?.map((line) => line.replace(/^#\d+ /, '')),
      ),
    ].toSorted(),
  }
}

test('berth buildx bake leaves behind what the plugin does', async () => {
  const own = await outcome(bakeByItself)
  assert.deepEqual(own.outputs, { app: 'me\nf\n', one: 'one\n', two: 'two\n' })
  assert.deepEqual(own, await outcome((folder, ...args) => client.run(folder, ['buildx', 'bake', ...args])))
})

test('berth buildx bake tells which target fails, and ends the others', async () => {
  const folder = client.context({
    'docker-bake.hcl': `group "default" { targets = ["bad", "slow"] }
target "bad" {
  dockerfile-inline = "FROM busybox\\nRUN exit 3"
}
target "slow" {
  dockerfile-inline = "FROM busybox\\nRUN sleep 300"
}
`,
  })
  const { code, stderr } = await bakeByItself(folder)
  assert.equal(code, 1)
  assert.match(
    stderr,
    /\nERROR: target bad: failed to solve: process "\/bin\/sh -c exit 3" did not complete successfully: exit code: 3\n$/,
  )
})

test('berth buildx bake asks before a build gets at what is not its own', async () => {
  const folder = client.context({
    'docker-bake.hcl':
      'target "default" {\n  dockerfile-inline = "FROM scratch"\n  network = "host"\n  secret = ["id=s,src=/etc/hostname"]\n}\n',
  })
  const refused = await bakeByItself(folder)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /Pass "--allow=network.host --allow=fs.read=\/etc\/hostname" to grant/)
  assert.match(refused.stderr, /\nERROR: additional privileges requested\n$/)
})
