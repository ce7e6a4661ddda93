import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadFixture, startDaemon, type TestDaemon } from '@berth/testing'
import { BuildxClient } from './buildx-client.ts'

let daemon: TestDaemon
let client: BuildxClient

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  client = new BuildxClient(daemon)
})
after(async () => {
  client?.[Symbol.dispose]()
  await daemon?.[Symbol.asyncDispose]()
})

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
