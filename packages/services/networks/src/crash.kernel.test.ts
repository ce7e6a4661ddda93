import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { type ContainerId, silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import { RouteRequest, RouteSocket } from '@berth/linux'
import { mountPoints, mountsSince } from '@berth/testing'
import { openNetworks } from './open-networks.ts'

const url = (path: string): string => JSON.stringify(import.meta.resolve(path))

/** An engine that attaches and detaches without end, several containers at a time. */
const busyEngine = (root: string): string => `
import { mkdirSync } from 'node:fs'
import { newContainerId, silentLogger } from ${url('@berth/base')}
import { openDatabase } from ${url('@berth/database')}
import { createEvents } from ${url('@berth/events')}
import { openNetworks } from ${url('./open-networks.ts')}
const networks = await openNetworks({ database: openDatabase(':memory:'), runRoot: ${JSON.stringify(root)}, logger: silentLogger, events: createEvents() })
console.log('open')
const shared = { name: 'n', hostname: 'h', domainname: '', mode: 'bridge', endpoints: {}, dns: [], dnsOptions: [], dnsSearch: [], extraHosts: [], sysctls: {} }
const portBindings = { '80/tcp': [{ HostIp: '', HostPort: '' }] }
async function live(keep) {
  for (;;) {
    const containerId = newContainerId()
    const filesDirectory = ${JSON.stringify(root)} + '/files-' + containerId
    mkdirSync(filesDirectory)
    await networks.attach({ ...shared, containerId, portBindings, filesDirectory })
    if (Math.random() > keep) await networks.detach(containerId)
  }
}
await Promise.all([live(0), live(0.2), live(0.2)])
`

test('openNetworks() after a kill at any moment finds no address twice and leaves nothing behind', async () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-crash-'))
  using host = new RouteSocket()
  host.send(new RouteRequest().setUp(1), 'set up lo')
  const mountsBefore = mountPoints()
  for (let round = 0; round < 4; round++) {
    const engine = spawn(process.execPath, ['--input-type=module', '-e', busyEngine(root)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(engine.stdout, 'data')
    await delay(20 + Math.random() * 60)
    engine.kill('SIGKILL')
    await once(engine, 'close')

    using database = openDatabase(':memory:')
    await using networks = await openNetworks({ database, runRoot: root, logger: silentLogger, events: createEvents() })
    const ids = readdirSync(join(root, 'networks')).map((name) => name.replace('.json', '') as ContainerId)
    const addresses = ids.map((id) => networks.attachment(id)?.endpoints['bridge']?.IPAddress)
    assert.equal(new Set(addresses).size, ids.length)
    await networks.reconcile([])
    assert.deepEqual([readdirSync(join(root, 'netns')), readdirSync(join(root, 'networks'))], [[], []])
  }
  assert.deepEqual(mountsSince(mountsBefore), [])
  for (const deadline = Date.now() + 5000; host.links().length > 1 && Date.now() < deadline;) await delay(5)
  assert.deepEqual(
    host.links().map(({ name }) => name),
    ['lo'],
  )
  rmSync(root, { recursive: true })
})
