// Volumes over the API: the same on Berth and on dockerd (BERTH_TEST_HOST).
import { useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'

const engine = useEngine()

interface Volume {
  readonly Name: string
  readonly Mountpoint: string
  readonly Labels: Readonly<Record<string, string>> | null
  readonly Options: Readonly<Record<string, string>> | null
  readonly CreatedAt: string
}

const made: string[] = []
const name = (): string => {
  const fresh = engine.name()
  made.push(fresh)
  return fresh
}

afterEach(removeOwn)
after(removeOwn)
async function removeOwn(): Promise<void> {
  if (!(await engine.api.ping())) return
  for (const own of made.splice(0)) {
    await engine.api.request('DELETE', `/containers/${own}?force=1&v=1`)
    await engine.api.request('DELETE', `/volumes/${own}?force=1`)
  }
}

const create = async (body: object): Promise<Volume> =>
  (await engine.api.json('POST', '/volumes/create', body)) as Volume
const inspect = async (volume: string): Promise<Volume> =>
  (await engine.api.json('GET', `/volumes/${volume}`)) as Volume

async function list(filters: object = {}, version = ''): Promise<string[]> {
  const query = encodeURIComponent(JSON.stringify(filters))
  const { Volumes } = (await engine.api.json('GET', `${version}/volumes?filters=${query}`)) as { Volumes: Volume[] }
  return Volumes.map(({ Name }) => Name)
}

async function refusal(method: string, path: string, body?: object): Promise<[number, string]> {
  const { status, text } = await engine.api.request(method, path, body)
  return [status, (JSON.parse(text) as { message: string }).message]
}

const container = async (own: string, hostConfig: object, config: object = {}): Promise<void> =>
  void (await engine.api.json('POST', `/containers/create?name=${own}`, {
    Image: 'busybox',
    Cmd: ['true'],
    ...config,
    HostConfig: hostConfig,
  }))

test('a volume is shown alike by create, inspect and list', async () => {
  const own = name()
  const volume = await create({ Name: own, Labels: { a: 'b' } })
  assert.deepEqual(
    { ...volume, CreatedAt: '', Mountpoint: '' },
    { Name: own, Driver: 'local', Labels: { a: 'b' }, Options: null, Scope: 'local', CreatedAt: '', Mountpoint: '' },
  )
  assert.match(volume.Mountpoint, new RegExp(`/volumes/${own}/_data$`))
  assert.match(volume.CreatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/)
  assert.deepEqual(await inspect(own), volume)
  const { Volumes } = (await engine.api.json('GET', '/volumes')) as { Volumes: Volume[] }
  assert.deepEqual(
    Volumes.find(({ Name }) => Name === own),
    volume,
  )
})

test('a volume that is there already is what create answers, whatever else is asked', async () => {
  const own = name()
  const volume = await create({ Name: own, Labels: { a: 'b' } })
  assert.deepEqual(
    await create({ Name: own, Labels: { c: 'd' }, DriverOpts: { type: 'tmpfs', device: 'tmpfs' } }),
    volume,
  )
})

test('a volume without a name has 64 digits and the label of anonymous ones', async () => {
  for (const body of [{}, { Labels: { a: 'b' } }]) {
    const { Name, Labels } = await create(body)
    made.push(Name)
    assert.match(Name, /^[0-9a-f]{64}$/)
    assert.deepEqual(Labels, { ...body.Labels, 'com.docker.volume.anonymous': '' })
  }
})

test('volumes that cannot be are refused in Docker’s words', async () => {
  const [own, create] = [name(), '/volumes/create']
  const words =
    'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
  const options = (DriverOpts: object) => ({ Name: own, DriverOpts })
  const cases: [object, number, string][] = [
    [{ Name: 'w' }, 400, 'create w: volume name is too short, names should be at least two alphanumeric characters'],
    [{ Name: 'a/../b' }, 400, `create a/../b: "a/../b" includes invalid characters for a local volume name, ${words}`],
    [{ Name: '.trash' }, 400, `create .trash: ".trash" includes invalid characters for a local volume name, ${words}`],
    [{ Name: own, Driver: 'x' }, 404, `create ${own}: error looking up volume plugin x: plugin "x" not found`],
    [options({ foobar: 'x' }), 400, `create ${own}: invalid option: "foobar"`],
    [options({ type: 'tmpfs' }), 400, `create ${own}: missing required option: "device"`],
    [options({ device: 'tmpfs' }), 400, `create ${own}: missing required option: "type"`],
    [options({ size: '10m' }), 400, `create ${own}: quota size requested but no quota support`],
    [options({ size: 'abc' }), 400, `create ${own}: invalid size: 'abc'`],
    [
      { Name: 1 },
      400,
      'invalid JSON: json: cannot unmarshal number into Go struct field CreateOptions.Name of type string',
    ],
  ]
  for (const [body, status, message] of cases) assert.deepEqual(await refusal('POST', create, body), [status, message])
  assert.deepEqual(await refusal('GET', `/volumes/${own}`), [404, `get ${own}: no such volume`])
  assert.deepEqual(await refusal('DELETE', `/volumes/${own}`), [404, `get ${own}: no such volume`])
  assert.equal((await engine.api.request('DELETE', `/volumes/${own}?force=1`)).status, 204)
  const cluster = 'volume update only valid for cluster volumes, but swarm is unavailable'
  assert.deepEqual(await refusal('PUT', `/volumes/${own}?version=1`, {}), [503, cluster])
})

test('list filters by dangling, driver, label and name', async () => {
  const [used, unused] = [name(), name()]
  await create({ Name: used, Labels: { color: 'red' } })
  await create({ Name: unused, Labels: { color: 'blue', size: '' } })
  const holder = name()
  await container(holder, { Binds: [`${used}:/x`] })
  const own = async (filters: object): Promise<string[]> =>
    (await list(filters)).filter((one) => one === used || one === unused).toSorted()
  assert.deepEqual(await own({}), [used, unused].toSorted())
  assert.deepEqual(await own({ dangling: ['true'] }), [unused])
  assert.deepEqual(await own({ dangling: ['0'] }), [used])
  assert.deepEqual(await own({ driver: ['local'] }), [used, unused].toSorted())
  assert.deepEqual(await own({ driver: ['loc'] }), [])
  assert.deepEqual(await own({ label: ['color'] }), [used, unused].toSorted())
  assert.deepEqual(await own({ label: ['color=red'] }), [used])
  assert.deepEqual(await own({ label: ['color', 'size'] }), [unused])
  assert.deepEqual(await own({ name: [unused.slice(1)] }), [unused])
  assert.deepEqual(await own({ name: [`^${used}$`, 'nothing'] }), [used])
  const query = (filters: object) => `/volumes?filters=${encodeURIComponent(JSON.stringify(filters))}`
  assert.deepEqual(await refusal('GET', query({ foo: ['x'] })), [400, "invalid filter 'foo'"])
  assert.deepEqual(await refusal('GET', query({ dangling: ['x'] })), [400, "invalid filter 'dangling=[x]'"])
})

test('a volume that a container has is not removed, not even by force', async () => {
  const [own, holder] = [name(), name()]
  await container(holder, { Binds: [`${own}:/x`] })
  const { Id } = (await engine.api.json('GET', `/containers/${holder}/json`)) as { Id: string }
  const inUse: [number, string] = [409, `remove ${own}: volume is in use - [${Id}]`]
  assert.deepEqual(await refusal('DELETE', `/volumes/${own}`), inUse)
  assert.deepEqual(await refusal('DELETE', `/volumes/${own}?force=1`), inUse)
  await engine.api.json('DELETE', `/containers/${holder}`)
  await engine.api.json('DELETE', `/volumes/${own}`)
})

async function prune(filters: object, version = ''): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
  const query = encodeURIComponent(JSON.stringify(filters))
  return (await engine.api.json('POST', `${version}/volumes/prune?filters=${query}`)) as Awaited<
    ReturnType<typeof prune>
  >
}

test('prune takes anonymous volumes that nobody has, and all only when told to or asked by an old client', async () => {
  const [holder, mine] = [name(), engine.name()]
  const labels = { Labels: { owner: mine } }
  const own = { label: [`owner=${mine}`] }
  const anonymous = async (): Promise<string> => {
    const { Name } = await create(labels)
    made.push(Name)
    return Name
  }
  const [loose, used, named, kept] = [await anonymous(), await anonymous(), name(), name()]
  await create({ Name: named, ...labels })
  await create({ Name: kept, Labels: { owner: mine, keep: 'yes' } })
  await container(holder, { Binds: [`${used}:/x`] })
  assert.deepEqual((await prune(own)).VolumesDeleted, [loose])
  assert.deepEqual((await prune({ ...own, all: ['false'] })).VolumesDeleted, [])
  assert.deepEqual((await prune({ ...own, 'label!': ['keep'], all: ['1'] })).VolumesDeleted, [named])
  assert.deepEqual((await prune(own, '/v1.42')).VolumesDeleted, [])
  assert.deepEqual((await prune(own, '/v1.41')).VolumesDeleted, [kept])
  const query = (filters: object) => `/volumes/prune?filters=${encodeURIComponent(JSON.stringify(filters))}`
  assert.deepEqual(await refusal('POST', query({ foo: ['x'] })), [400, "invalid filter 'foo'"])
  assert.deepEqual(await refusal('POST', query({ all: ['x'] })), [
    400,
    `invalid filter 'all': strconv.ParseBool: parsing "x": invalid syntax`,
  ])
})

test('prune leaves volumes alone that have options of their driver', async () => {
  const label = engine.name()
  const create = async (DriverOpts: object) =>
    ((await engine.api.json('POST', '/volumes/create', { Labels: { [label]: '' }, DriverOpts })) as { Name: string })
      .Name
  const [device, plain] = [await create({ type: 'tmpfs', device: 'tmpfs' }), await create({})]
  assert.deepEqual((await prune({ label: [label], all: ['1'] })).VolumesDeleted, [plain])
  assert.deepEqual((await prune({ label: [label] }, '/v1.41')).VolumesDeleted, [])
  await engine.api.json('DELETE', `/volumes/${device}`)
})

test('prune tells the bytes that it freed', async () => {
  const [own, writer] = [name(), name()]
  await create({ Name: own, Labels: { writer } })
  await container(writer, { Binds: [`${own}:/x`] }, { Cmd: ['sh', '-c', 'head -c 12345 /dev/zero >/x/f'] })
  await engine.api.json('POST', `/containers/${writer}/start`)
  await engine.api.json('POST', `/containers/${writer}/wait`)
  await engine.api.json('DELETE', `/containers/${writer}`)
  const pruned = await prune({ label: [`writer=${writer}`], all: ['1'] })
  assert.deepEqual(pruned, { VolumesDeleted: [own], SpaceReclaimed: 12345 })
})

test('CreatedAt is when the volume was made, whatever happens in it', async () => {
  const [own, writer] = [name(), name()]
  const { CreatedAt } = await create({ Name: own })
  await new Promise((resolve) => setTimeout(resolve, 1100))
  await container(writer, { Binds: [`${own}:/x`] }, { Cmd: ['touch', '/x/f'] })
  await engine.api.json('POST', `/containers/${writer}/start`)
  await engine.api.json('POST', `/containers/${writer}/wait`)
  if (engine.daemon) assert.equal((await inspect(own)).CreatedAt, CreatedAt)
})

interface Event {
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

test('events tell of create, mount, unmount and destroy, each once', async () => {
  const [own, holder] = [name(), name()]
  const since = Math.floor(Date.now() / 1000)
  await create({ Name: own })
  await create({ Name: own })
  await container(holder, { Binds: [`${own}:/x:ro`] })
  await engine.api.json('POST', `/containers/${holder}/start`)
  await engine.api.json('POST', `/containers/${holder}/wait`)
  const { Id } = (await engine.api.json('GET', `/containers/${holder}/json`)) as { Id: string }
  await engine.api.json('DELETE', `/containers/${holder}`)
  await engine.api.json('DELETE', `/volumes/${own}`)
  const filters = encodeURIComponent(JSON.stringify({ type: ['volume'], volume: [own] }))
  const until = Math.floor(Date.now() / 1000) + 1
  const { text } = await engine.api.request('GET', `/events?since=${since}&until=${until}&filters=${filters}`)
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event)
  const driver = 'local'
  const mount = { container: Id, destination: '/x', driver, propagation: '', 'read/write': 'false' }
  assert.deepEqual(
    events.map(({ Action, Actor }) => [Action, Actor.ID, Actor.Attributes]),
    [
      ['create', own, { driver }],
      ['mount', own, mount],
      ['unmount', own, { container: Id, driver }],
      ['destroy', own, { driver }],
    ],
  )
})

interface MeasuredVolume extends Volume {
  readonly UsageData?: { readonly Size: number; readonly RefCount: number }
}

test('GET /system/df tells of each volume how large it is and how many containers have it', async () => {
  const [used, unused, device] = [name(), name(), name()]
  await create({ Name: used })
  await create({ Name: unused })
  await create({ Name: device, DriverOpts: { type: 'tmpfs', device: 'tmpfs' } })
  const container = name()
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', 'head -c 5000 /dev/zero > /data/five; ln /data/five /data/same'],
    HostConfig: { Binds: [`${used}:/data`] },
  }
  await engine.api.json('POST', `/containers/create?name=${container}`, body)
  await engine.api.json('POST', `/containers/${container}/start`)
  await engine.api.json('POST', `/containers/${container}/wait`)
  const { Volumes } = (await engine.api.json('GET', '/system/df')) as { Volumes: MeasuredVolume[] }
  const measured = (wanted: string) => Volumes.find(({ Name }) => Name === wanted)?.UsageData
  assert.deepEqual(
    [measured(used), measured(unused), measured(device)],
    // What a driver's options mount is not on the engine's disk.
    [{ Size: 5000, RefCount: 1 }, { Size: 0, RefCount: 0 }, undefined],
  )
  const listed = (await engine.api.json('GET', '/volumes')) as { Volumes: MeasuredVolume[] }
  assert.equal(listed.Volumes.find(({ Name }) => Name === used)?.UsageData, undefined)
})
