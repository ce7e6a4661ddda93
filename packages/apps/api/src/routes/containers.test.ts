import { type ContainerId, notFound, notModified } from '@berth/base'
import type { Containers, ListQuery } from '@berth/containers'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { containerId, fakeContainer, imageId, serve } from '../testing/fakes.ts'

/** Answers of every method, with the arguments it was called with. */
function recorder(): {
  readonly calls: unknown[][]
  readonly of: (name: string) => (...args: unknown[]) => Promise<never>
} {
  const calls: unknown[][] = []
  const of =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args])
      return Promise.resolve(undefined as never)
    }
  return { calls, of }
}

test('GET /containers/json passes flags and filters on and presents the entries', async () => {
  const queries: ListQuery[] = []
  await using api = await serve({
    containers: {
      list(query) {
        queries.push(query)
        return Promise.resolve([fakeContainer({ mounts: [bind] })])
      },
    },
  })
  const bind = { type: 'bind', source: '/a', destination: '/b', mode: '', rw: true, propagation: 'rprivate' } as const
  const filters = encodeURIComponent('{"label":{"a=b":true}}')
  const [entry] = (await api.json(`/v1.44/containers/json?all=1&limit=3&size=true&filters=${filters}`)) as object[]
  assert.deepEqual(queries[0], { all: true, size: true, limit: 3, filters: { label: ['a=b'] } })
  const { NetworkSettings, Status, ...rest } = entry as Record<string, unknown>
  assert.match(String(Status), /^Up /)
  assert.deepEqual(Object.keys(NetworkSettings as object), ['Networks'])
  assert.deepEqual(rest, {
    Id: containerId,
    Names: ['/web'],
    Image: 'busybox',
    ImageID: imageId,
    Command: 'sleep 10',
    Created: 1767323045,
    Ports: [{ IP: '::', PrivatePort: 80, Type: 'tcp', PublicPort: 8080 }],
    SizeRw: 5,
    SizeRootFs: 1005,
    Labels: {},
    State: 'running',
    HostConfig: { NetworkMode: 'bridge' },
    Mounts: [{ Type: 'bind', Source: '/a', Destination: '/b', Mode: '', RW: true, Propagation: 'rprivate' }],
  })
})

test('GET /containers/json refuses filters and limits that are none', async () => {
  await using api = await serve()
  assert.match((await api.call('GET', '/containers/json?filters=zz')).text, /"invalid filter"/)
  const refusal = async (filter: string) => {
    const { text } = await api.call('GET', `/containers/json?filters=${encodeURIComponent(filter)}`)
    return (JSON.parse(text) as { message: string }).message
  }
  assert.equal(
    await refusal('{"health":["z"]}'),
    "invalid filter 'health=z': invalid value for health (z): must be one of none, starting, healthy, unhealthy",
  )
  assert.match(await refusal('{"status":["z"]}'), /invalid value for state \(z\): must be one of created, running/)
  assert.match((await api.call('GET', '/containers/json?limit=zz')).text, /strconv\.Atoi: parsing \\"zz\\"/)
})

test('GET /containers/json names linked containers by their links and outdated images by id', async () => {
  const linking = fakeContainer({ id: 'b'.repeat(64) as ContainerId, name: 'b' })
  const all = [
    fakeContainer({ config: { ...fakeContainer().config, Image: 'gone' } }),
    { ...linking, hostConfig: { ...linking.hostConfig, Links: ['web:db'] } },
  ]
  await using api = await serve({ containers: { list: () => Promise.resolve(all) } })
  const entries = (await api.json('/containers/json')) as { Names: string[]; Image: string }[]
  assert.deepEqual(
    entries.map(({ Names, Image }) => [Names, Image]),
    [
      [['/web', '/b/db'], imageId],
      [['/b'], 'busybox'],
    ],
  )
})

test('POST /containers/create decodes, adapts and answers 201', async () => {
  const requests: unknown[] = []
  await using api = await serve({
    containers: {
      create(request) {
        requests.push([request.name, request.platform, request.config.Cmd, request.hostConfig.Memory])
        return Promise.resolve({ id: containerId, warnings: ['careful'] })
      },
    },
  })
  const body = { Image: 'busybox', Cmd: 'ls', HostConfig: { Memory: 7 } }
  const answer = await api.call('POST', '/v1.51/containers/create?name=/web&platform=linux/arm64', body)
  assert.deepEqual([answer.status, JSON.parse(answer.text)], [201, { Id: containerId, Warnings: ['careful'] }])
  await api.call('POST', '/v1.40/containers/create?platform=linux/arm64', body)
  assert.deepEqual(requests, [
    ['/web', 'linux/arm64', ['ls'], 7],
    [undefined, undefined, ['ls'], 7],
  ])
})

test('POST /containers/create checks the body as Docker does', async () => {
  await using api = await serve()
  const post = async (type: string | undefined, body: string) => {
    const { raw } = api
    const lines = ['POST /containers/create HTTP/1.1', 'Host: x', 'Connection: close', `Content-Length: ${body.length}`]
    const text = await raw(type === undefined ? lines : [...lines, `Content-Type: ${type}`], body).ended
    return `${text.slice(9, 12)} ${JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).message}`
  }
  const json = 'application/json'
  assert.equal(await post(undefined, ''), '400 invalid JSON: got EOF while reading request body')
  assert.equal(await post(json, '{'), '400 invalid JSON: unexpected EOF')
  assert.equal(await post(json, '{} x'), '400 unexpected content after JSON')
  assert.equal(await post(json, '{}'), '400 config cannot be empty in order to create a container')
  assert.equal(
    await post('text/plain', '{}'),
    "400 unsupported Content-Type header (text/plain): must be 'application/json'",
  )
  assert.equal(await post(undefined, '{}'), '400 malformed Content-Type header (): mime: no media type')
  assert.equal(
    await post(`${json}; charset=utf-8`, '[]'),
    '400 invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest',
  )
  assert.match(await post(json, `"${'x'.repeat(9 * 1024 * 1024)}"`), /^400 the request's body is larger/)
})

test('GET /containers/{id}/json shows what the service knows', async () => {
  await using api = await serve()
  const found = (await api.json('/containers/web/json?size=1')) as Record<string, Record<string, unknown>>
  assert.deepEqual(
    [found['Name'], found['Path'], found['Args'], found['LogPath'], found['SizeRw'], found['ExecIDs'], found['Driver']],
    ['/web', 'sleep', ['10'], '/log', 5, null, 'overlay2'],
  )
  const network = found['NetworkSettings']!
  assert.deepEqual([network['IPAddress'], network['EndpointID'], network['SandboxID']], ['172.17.0.2', 'ep', 'sandbox'])
  assert.deepEqual(
    [found['State']!['Running'], found['State']!['Pid'], found['HostConfig']!['Links'], found['Config']!['OnBuild']],
    [true, 42, null, null],
  )
  assert.equal((await api.call('GET', '/containers/nope/json')).text, '{"message":"No such container: nope"}\n')
})

test('GET /containers/{id}/json announces the exec that may follow', async () => {
  const { calls, of } = recorder()
  await using api = await serve({ containers: { anticipateExec: of('anticipateExec') } })
  await api.json('/containers/web/json')
  assert.deepEqual(calls, [['anticipateExec', containerId]])
})

test('POST /containers/{id}/<action> calls the service and answers 204', async () => {
  const { calls, of } = recorder()
  const names = ['start', 'stop', 'restart', 'kill', 'pause', 'unpause', 'rename', 'remove'] as const
  const containers = Object.fromEntries(names.map((name) => [name, of(name)])) as Partial<Containers>
  await using api = await serve({ containers })
  for (const [method, target] of [
    ['POST', '/containers/web/start'],
    ['POST', '/containers/%2Fweb/stop?t=-1&signal=HUP'],
    ['POST', '/v1.41/containers/web/restart?t=5&signal=HUP'],
    ['POST', '/containers/web/kill?signal=9'],
    ['POST', '/containers/web/pause'],
    ['POST', '/containers/web/unpause'],
    ['POST', '/containers/web/rename?name=new'],
    ['DELETE', '/containers/web?force=1&v=1'],
    ['DELETE', '/containers/web/alias?link=1'],
  ] as const) {
    assert.equal((await api.call(method, target)).status, 204, target)
  }
  assert.deepEqual(calls, [
    ['start', 'web'],
    ['stop', '/web', { timeoutSeconds: -1, signal: 'HUP' }],
    ['restart', 'web', { timeoutSeconds: 5 }],
    ['kill', 'web', '9'],
    ['pause', 'web'],
    ['unpause', 'web'],
    ['rename', 'web', 'new'],
    ['remove', 'web', { force: true, volumes: true, link: false }],
    ['remove', 'web/alias', { force: false, volumes: false, link: true }],
  ])
})

test('POST /containers/{id}/start refuses a host configuration and shows what changed nothing', async () => {
  await using api = await serve({ containers: { start: () => Promise.reject(notModified('running')) } })
  assert.match((await api.call('POST', '/containers/web/start', { Binds: [] })).text, /removed in v1\.24/)
  assert.equal((await api.call('POST', '/containers/web/start', {})).status, 304)
})

test('POST /containers/{id}/wait sends its head at once and the result later', async () => {
  const { promise, resolve } = Promise.withResolvers<{ exitCode: number; error?: string }>()
  await using api = await serve({
    containers: {
      wait(ref) {
        if (ref !== 'web') throw notFound(`No such container: ${ref}`)
        return { result: promise }
      },
    },
  })
  const response = await api.open('POST', '/containers/web/wait?condition=next-exit')
  assert.equal(response.statusCode, 200)
  resolve({ exitCode: 7, error: 'no' })
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  assert.equal(Buffer.concat(chunks).toString(), '{"StatusCode":7,"Error":{"Message":"no"}}\n')
  assert.equal((await api.call('POST', '/containers/nope/wait')).status, 404)
  assert.match((await api.call('POST', '/containers/web/wait?condition=zz')).text, /invalid condition: \\"zz\\"/)
  assert.equal((await api.call('POST', '/v1.29/containers/web/wait')).headers['content-length'], '42')
})

test('POST /containers/{id}/wait ends with its client', async () => {
  const { promise, resolve } = Promise.withResolvers<AbortSignal>()
  await using api = await serve({
    containers: {
      wait(_ref, _condition, signal) {
        resolve(signal)
        return { result: new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) }
      },
    },
  })
  const response = await api.open('POST', '/containers/web/wait')
  response.destroy()
  const signal = await promise
  if (!signal.aborted) await new Promise((done) => signal.addEventListener('abort', done))
  assert.equal((await api.call('GET', '/_ping')).status, 200)
})

test('POST /containers/{id}/update takes an empty body', async () => {
  const { calls } = recorder()
  await using api = await serve({
    containers: {
      update(ref, request) {
        calls.push([ref, request])
        return Promise.resolve({ warnings: [] })
      },
    },
  })
  assert.equal((await api.call('POST', '/containers/web/update')).text, '{"Warnings":null}\n')
  await api.call('POST', '/containers/web/update', { CpuShares: 5 })
  assert.deepEqual(calls, [
    ['web', {}],
    ['web', { CpuShares: 5 }],
  ])
})

test('GET /containers/{id}/{top,changes,export} present what the service gives', async () => {
  await using api = await serve({
    containers: {
      top: (_, psArgs) => Promise.resolve({ Titles: [psArgs], Processes: [['1']] }),
      changes: (ref) => Promise.resolve(ref === 'web' ? [{ path: '/a', kind: 'added' }] : []),
      exportTree: () => Readable.from([Buffer.from('tar')]),
    },
  })
  assert.deepEqual(await api.json('/containers/web/top?ps_args=aux'), { Titles: ['aux'], Processes: [['1']] })
  assert.deepEqual(await api.json('/containers/web/changes'), [{ Path: '/a', Kind: 1 }])
  assert.equal(await api.json('/containers/x/changes'), null)
  const archive = await api.call('GET', '/containers/web/export')
  assert.deepEqual([archive.headers['content-type'], archive.text], ['application/octet-stream', 'tar'])
})

test('POST /commit composes the reference and pauses unless told not to', async () => {
  const { calls } = recorder()
  await using api = await serve({
    containers: {
      commit(ref, query) {
        calls.push([ref, query.reference, query.pause, query.changes, query.config?.Cmd])
        return Promise.resolve(imageId)
      },
    },
  })
  const query = 'container=web&repo=a/b&tag=t&changes=ENV%20A%3Db&changes=USER%20x'
  const answer = await api.call('POST', `/commit?${query}`, { Cmd: ['x'] })
  assert.deepEqual([answer.status, JSON.parse(answer.text)], [201, { Id: imageId }])
  await api.call('POST', '/commit?container=web&pause=0')
  assert.deepEqual(calls, [
    ['web', 'a/b:t', true, ['ENV A=b', 'USER x'], ['x']],
    ['web', undefined, false, [], undefined],
  ])
})

test('POST /containers/prune names what was removed', async () => {
  await using api = await serve({
    containers: { prune: () => Promise.resolve({ deleted: [containerId], reclaimedBytes: 9 }) },
  })
  const { text } = await api.call('POST', '/containers/prune')
  assert.deepEqual(JSON.parse(text), { ContainersDeleted: [containerId], SpaceReclaimed: 9 })
})
