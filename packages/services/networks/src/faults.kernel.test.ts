import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ContainerId, newContainerId, silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import { RouteRequest, RouteSocket } from '@berth/linux'
import { openNetworks } from './open-networks.ts'
import { endpoint, inside, onlyLoopback } from './testing/use-networks.ts'

const url = (path: string): string => JSON.stringify(import.meta.resolve(path))

/** An engine that does each step once, and dies where BERTH_FAULT says. */
const engine = (root: string, containerId: string): string => `
import { silentLogger } from ${url('@berth/base')}
import { openDatabase } from ${url('@berth/database')}
import { decodeNetworkCreate, emptyEndpoint } from ${url('@berth/engine-api')}
import { createEvents } from ${url('@berth/events')}
import { openNetworks } from ${url('./open-networks.ts')}
const root = ${JSON.stringify(root)}
const containerId = ${JSON.stringify(containerId)}
const database = openDatabase(root + '/state.db')
const networks = await openNetworks({ database, runRoot: root, logger: silentLogger, events: createEvents() })
const create = (Name) => networks.create(decodeNetworkCreate({ Name, EnableIPv6: true }, 51))
await create('kept').catch((error) => { if (error.kind !== 'conflict') throw error })
const shared = { name: 'n', hostname: 'h', domainname: '', dns: [], dnsOptions: [], dnsSearch: [], extraHosts: [], sysctls: {} }
const portBindings = { '80/tcp': [{ HostIp: '', HostPort: '18077' }] }
await networks.attach({ ...shared, containerId, mode: 'kept', endpoints: {}, portBindings, filesDirectory: root + '/files' })
await create('second')
await networks.connect({ containerId, network: 'second', settings: emptyEndpoint() })
await networks.disconnect({ containerId, network: 'second' })
await networks.remove('second')
await networks.detach(containerId)
console.log('done')
process.exit(0)
`

const points = [
  'network create: noted',
  'network create: made',
  'attach: not noted',
  'attach: noted',
  'attach: created',
  'connect: noted',
  'connect: linked',
  'disconnect: noted',
  'disconnect: unlinked',
  'network remove: noted',
  'network remove: unmade',
  'detach: ports',
  'detach: namespace',
]

for (const point of points) {
  test(`openNetworks() after a death at "${point}" finds nothing half made`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'berth-faults-'))
    mkdirSync(join(root, 'files'))
    using host = new RouteSocket()
    host.send(new RouteRequest().setUp(1), 'set up lo')
    const containerId = newContainerId()
    const child = spawn(process.execPath, ['--input-type=module', '-e', engine(root, containerId)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, BERTH_FAULT: point },
    })
    child.stdout.resume()
    assert.deepEqual(await once(child, 'close'), [null, 'SIGKILL'])

    using database = openDatabase(join(root, 'state.db'))
    const networks = await openNetworks({ database, runRoot: root, logger: silentLogger, events: createEvents() })
    await networks.reconcile(aliveAfter(point, containerId, root))
    await checkWhole(networks, host, containerId)
    // What the dead engine had taken is free again or in use by whom it says.
    await networks.reconcile([])
    for (const { Name } of networks.list().filter((one) => !['bridge', 'host', 'none'].includes(one.Name))) {
      await networks.remove(Name)
    }
    await networks[Symbol.asyncDispose]()
    assert.deepEqual([readdirSync(join(root, 'netns')), readdirSync(join(root, 'networks'))], [[], []])
    await onlyLoopback(host)
    rmSync(root, { recursive: true })
  })
}

/** Who is in the middle of starting or ending does not run, for the supervisor that is asked. */
function aliveAfter(point: string, containerId: ContainerId, root: string): ContainerId[] {
  const runs = !point.startsWith('attach') && !point.startsWith('detach')
  return runs && existsSync(join(root, 'networks', `${containerId}.json`)) ? [containerId] : []
}

type Open = Awaited<ReturnType<typeof openNetworks>>

/** Every bridge in the kernel has its network, every endpoint its link inside and its member entry. */
async function checkWhole(networks: Open, host: RouteSocket, containerId: ContainerId): Promise<void> {
  const bridges = host
    .links()
    .filter(({ kind }) => kind === 'bridge')
    .map(({ name }) => name)
  const own = networks.list().filter(({ Driver }) => Driver === 'bridge')
  const wanted = own.map(({ Name, Id }) => (Name === 'bridge' ? 'berth0' : `br-${Id.slice(0, 12)}`))
  assert.deepEqual(bridges.toSorted(), wanted.toSorted())
  const attachment = networks.attachment(containerId)
  const members = own.filter(({ Containers }) => Containers[containerId]).map(({ Name }) => Name)
  assert.deepEqual(members.toSorted(), Object.keys(attachment?.endpoints ?? {}).toSorted())
  if (!attachment) return
  const links = (await inside(attachment.netnsPath, 'ip', '-o', 'link')).match(/eth\d/g) ?? []
  assert.deepEqual([...new Set(links)].toSorted(), attachment.interfaces.map((one) => one.inside).toSorted())
  assert.equal((await inside(attachment.netnsPath, 'ip', '-4', 'route')).match(/default/g)?.length, 1)
  const connected = await networks.connect({ containerId, network: 'bridge', settings: endpoint() })
  assert.equal(connected.endpoints['bridge']?.IPAddress !== '', true)
}
