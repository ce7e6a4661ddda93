import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, beforeEach, test } from 'node:test'
import { until, useEngine } from '@berth/testing'
import Docker, { type Container } from 'dockerode'

const made: (() => Promise<unknown>)[] = []
// Before the engine's own hooks, so that it is there yet when these run.
after(async () => {
  for (const remove of made.toReversed()) await remove()
})

const engine = useEngine()
let docker: Docker // made late: the engine's address is known when it runs
beforeEach(() => {
  docker ??= new Docker({ socketPath: engine.host.replace('unix://', '') })
})

async function createNetwork(options: object = {}) {
  const name = engine.name()
  const network = await docker.createNetwork({ Name: name, ...options })
  made.push(() => network.remove().catch(() => {}))
  return { name, network }
}

async function run(options: object) {
  const container = await docker.createContainer({ name: engine.name(), Image: 'busybox', ...options })
  made.push(() => container.remove({ force: true }).catch(() => {}))
  await container.start()
  return container
}

const sleeper = (options: object = {}) => run({ Cmd: ['sleep', '1000'], ...options })

async function exitCode(container: Container, ...command: string[]): Promise<number | null> {
  const exec = await container.exec({ Cmd: command, AttachStdout: true })
  const stream = await exec.start({})
  stream.resume()
  await once(stream, 'end')
  await until(async () => (await exec.inspect()).ExitCode !== null)
  return (await exec.inspect()).ExitCode
}

const resolves = async (container: Container, name: string): Promise<boolean> =>
  (await exitCode(container, 'ping', '-c1', '-W2', name)) === 0

test('dockerode makes an application as compose does: networks by labels, aliases, several networks a container', async () => {
  const project = engine.name()
  const labels = { 'com.docker.compose.project': project }
  const IPAM = { Config: [{ Subnet: '10.92.0.0/24', Gateway: '10.92.0.1' }] }
  const front = await createNetwork({ Labels: labels, EnableIPv6: true })
  const back = await createNetwork({ Labels: labels, Internal: true, IPAM })
  const filters = JSON.stringify({ label: [`com.docker.compose.project=${project}`] })
  const listed = await docker.listNetworks({ filters })
  assert.deepEqual(listed.map(({ Name }) => Name).toSorted(), [front.name, back.name].toSorted())
  const db = await sleeper({
    HostConfig: { NetworkMode: back.name },
    NetworkingConfig: {
      EndpointsConfig: { [back.name]: { Aliases: ['db'], IPAMConfig: { IPv4Address: '10.92.0.5' } } },
    },
  })
  const web = await sleeper({
    HostConfig: { NetworkMode: front.name, PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '18047' }] } },
    ExposedPorts: { '80/tcp': {} },
    NetworkingConfig: {
      EndpointsConfig: { [front.name]: { Aliases: ['web'] }, [back.name]: { Aliases: ['web-inside'] } },
    },
  })
  const visitor = await sleeper({ HostConfig: { NetworkMode: front.name } })
  assert.deepEqual(
    [
      await resolves(web, 'db'),
      await resolves(db, 'web-inside'),
      await resolves(visitor, 'web'),
      await resolves(visitor, 'db'),
    ],
    [true, true, true, false],
  )
  const inspected = await back.network.inspect()
  assert.deepEqual(Object.keys(inspected.Containers).toSorted(), [db.id, web.id].toSorted())
  assert.equal(inspected.Containers[db.id]?.IPv4Address, '10.92.0.5/24')
  assert.deepEqual([inspected.Internal, inspected.IPAM.Config], [true, IPAM.Config])
})

test('dockerode connects and disconnects, and gets Docker’s status codes', async () => {
  const { network, name } = await createNetwork()
  const [one, two] = [await sleeper(), await sleeper({ HostConfig: { NetworkMode: name } })]
  await network.connect({ Container: one.id, EndpointConfig: { Aliases: ['late'] } })
  assert.equal(await resolves(two, 'late'), true)
  await assert.rejects(network.connect({ Container: one.id }), { statusCode: 403 })
  await assert.rejects(network.remove(), { statusCode: 403 })
  await network.disconnect({ Container: one.id })
  assert.equal(await resolves(two, 'late'), false)
  await network.disconnect({ Container: two.id, Force: true })
  await network.remove()
  await assert.rejects(network.inspect(), { statusCode: 404 })
  await assert.rejects(docker.createNetwork({ Name: 'bridge' }), { statusCode: 403 })
})

test('dockerode storms: twenty containers enter and leave a network at once, and none is lost', async () => {
  const { network } = await createNetwork()
  const containers = await Promise.all(Array.from({ length: 20 }, () => sleeper()))
  await Promise.all(containers.map(({ id }) => network.connect({ Container: id })))
  const addresses = Object.values((await network.inspect()).Containers).map(({ IPv4Address }) => IPv4Address)
  assert.equal(new Set(addresses).size, 20)
  await Promise.all(containers.map(({ id }) => network.disconnect({ Container: id })))
  assert.deepEqual((await network.inspect()).Containers, {})
})
