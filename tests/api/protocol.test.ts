import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { useEngine } from '@berth/testing'

const engine = useEngine()
const get = (path: string) => engine.api.request('GET', path)
const message = (text: string): string => (JSON.parse(text) as { message: string }).message

test('_ping answers OK with the headers that clients negotiate by; HEAD has no body', async () => {
  const ping = await get('/_ping')
  assert.deepEqual([ping.status, ping.text], [200, 'OK'])
  assert.match(String(ping.headers['api-version']), /^1\.\d+$/)
  assert.equal(ping.headers['ostype'], 'linux')
  assert.match(String(ping.headers['cache-control']), /no-cache/)
  const head = await engine.api.request('HEAD', '/_ping')
  assert.deepEqual([head.status, head.text], [200, ''])
})

test('versions from 1.24 to the newest are served; older and newer are 400', async () => {
  for (const version of ['1.24', '1.30', '1.41', '1.44', '1.51'])
    assert.equal((await get(`/v${version}/version`)).status, 200)
  const old = await get('/v1.12/version')
  assert.equal(old.status, 400)
  assert.match(old.text, /client version 1\.12 is too old\. Minimum supported API version is 1\.24/)
  const young = await get('/v1.99/version')
  assert.equal(young.status, 400)
  assert.match(young.text, /client version 1\.99 is too new\. Maximum supported API version is 1\.51/)
})

test('an unknown path and a wrong method are 404 page not found', async () => {
  for (const [method, path] of [
    ['GET', '/nowhere'],
    ['PUT', '/containers/json'],
    ['GET', '/v1.41/containers'],
  ] as const) {
    const answer = await engine.api.request(method, path)
    assert.deepEqual([answer.status, message(answer.text)], [404, 'page not found'])
  }
})

test('a body that is no JSON is refused in Go’s words', async () => {
  const create = (body: string, type = 'application/json') =>
    engine.api.request('POST', '/containers/create', Buffer.from(body), { headers: { 'Content-Type': type } })
  const cases = [
    ['{', /unexpected (EOF|end of JSON)/],
    ['{"Image": i}', /invalid character 'i' looking for beginning of value/],
    ['{} {}', /unexpected content after JSON/],
    ['{"Image": 7}', /cannot unmarshal number into Go struct field .*Image of type string/],
    ['', /./],
  ] as const
  for (const [body, pattern] of cases) {
    const answer = await create(body)
    assert.equal(answer.status, 400, body)
    assert.match(message(answer.text), pattern)
  }
  const wrongType = await create('{}', 'text/plain')
  assert.equal(wrongType.status, 400)
  assert.match(
    message(wrongType.text),
    /unsupported (media type|Content-Type)|malformed Content-Type|must be application\/json/i,
  )
})

test('filters that are no JSON, or unknown, are 400 invalid filter', async () => {
  for (const filters of ['{', '[]', '{"status":["nonsense"]}', '{"colour":["red"]}']) {
    const answer = await get(`/containers/json?filters=${encodeURIComponent(filters)}`)
    assert.equal(answer.status, 400, filters)
    assert.match(message(answer.text), /invalid filter/, filters)
  }
})

test('what a client may not ask of create is 400 with the reason', async () => {
  const create = (body: object, query = '') =>
    engine.api.request('POST', `/containers/create${query}`, { Image: 'busybox', ...body })
  const cases = [
    [{ Env: ['=x'] }, '', /invalid environment variable/],
    [{ HostConfig: { RestartPolicy: { Name: 'sometimes' } } }, '', /invalid restart policy/],
    [{ HostConfig: { Memory: 1 << 20 } }, '', /Minimum memory limit allowed is 6MB/],
    [
      { HostConfig: { Binds: ['/host:relative'] } },
      '',
      /invalid mount path: 'relative' mount path must be absolute|invalid volume specification/,
    ],
    [{ HostConfig: { PortBindings: { 'x/tcp': [{}] } } }, '', /[Ii]nvalid (port|proto|container port)/],
    [{ HostConfig: { PidMode: 'container:nobody' } }, '', /No such container: nobody/],
    [
      { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
      '',
      /can't create 'AutoRemove' container with restart policy/,
    ],
    [{ Healthcheck: { Test: ['CMD', 'true'], Interval: 1000 } }, '', /Interval in Healthcheck cannot be less than 1ms/],
    [{}, '?name=bad%20name', /Invalid container name \(bad name\)/],
    [{ Image: 'busybox:sha256:abc' }, '', /invalid reference format/],
  ] as const
  for (const [body, query, pattern] of cases) {
    const answer = await create(body, query)
    // dockerd calls some of these its own fault: 500
    assert.ok(
      answer.status >= 400 && answer.status < (engine.daemon ? 500 : 501),
      `${JSON.stringify(body)}: ${answer.status} ${answer.text}`,
    )
    assert.match(message(answer.text), pattern)
  }
  assert.equal((await create({ Image: 'absent:x' })).status, 404)
})

test('wait and events send their headers before there is anything to say', async () => {
  const name = engine.name()
  await engine.api.json('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['sleep', '1000'] })
  await engine.api.json('POST', `/containers/${name}/start`)
  const waiting = await engine.api.open('POST', `/containers/${name}/wait`)
  assert.equal(waiting.status, 200)
  const events = await engine.api.open('GET', '/events')
  assert.equal(events.status, 200)
  events.body.destroy()
  await engine.api.json('POST', `/containers/${name}/kill`)
  assert.deepEqual(JSON.parse(await body(waiting.body)), { StatusCode: 137 })
  await engine.api.json('DELETE', `/containers/${name}`)
})

async function body(stream: AsyncIterable<Buffer>): Promise<string> {
  let all = ''
  for await (const chunk of stream) all += chunk.toString()
  return all
}

test('logs without a stream and resize without a size are refused', async () => {
  const name = engine.name()
  await engine.api.json('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['true'] })
  const logs = await get(`/containers/${name}/logs`)
  assert.deepEqual([logs.status, message(logs.text)], [400, 'Bad parameters: you must choose at least one stream'])
  const resize = (query: string) => engine.api.request('POST', `/containers/${name}/resize?${query}`)
  assert.match(message((await resize('h=x&w=1')).text), /invalid resize height "x": invalid syntax/)
  assert.match(
    message((await resize('h=99999999999&w=1')).text),
    /invalid resize height "99999999999": value out of range/,
  )
  assert.equal((await resize('h=1&w=1')).status, 409)
  await engine.api.json('DELETE', `/containers/${name}`)
})

test('attach by websocket carries input and output', async () => {
  const name = engine.name()
  const config = { Image: 'busybox', Cmd: ['cat'], Tty: true, OpenStdin: true }
  await engine.api.json('POST', `/containers/create?name=${name}`, config)
  await engine.api.json('POST', `/containers/${name}/start`)
  const key = Buffer.from('0123456789abcdef').toString('base64')
  const head = ['GET', `/containers/${name}/attach/ws?stream=1&stdin=1&stdout=1`, 'HTTP/1.1'].join(' ')
  const fields = [
    'Host: d',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
  ]
  const socket = connect(engine.host.replace('unix://', ''))
  socket.write([head, ...fields, 'Origin: http://d', '', ''].join('\r\n'))
  await seen(socket, /101 Switching Protocols/)
  socket.write(maskedFrame('over a websocket\n'))
  await seen(socket, /over a websocket/)
  socket.destroy()
  await engine.api.json('DELETE', `/containers/${name}?force=1`)
})

/** RFC 6455 section 5.2: one final text frame, masked with zeros. */
function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

function seen(socket: Socket, pattern: RegExp): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let all = ''
  const timer = setTimeout(() => reject(new Error(`never came: ${pattern}; but: ${all}`)), 5000)
  const listener = (chunk: Buffer): void => {
    all += chunk.toString('latin1')
    if (!pattern.test(all)) return
    clearTimeout(timer)
    socket.off('data', listener)
    resolve()
  }
  socket.on('data', listener)
  return promise
}

test('a hijacked attach says which framing it uses', async () => {
  for (const [tty, type] of [
    [false, 'application/vnd.docker.multiplexed-stream'],
    [true, 'application/vnd.docker.raw-stream'],
  ] as const) {
    const name = engine.name()
    await engine.api.json('POST', `/containers/create?name=${name}`, {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      Tty: tty,
    })
    await engine.api.json('POST', `/containers/${name}/start`)
    const { socket, headers } = await engine.api.hijack('POST', `/containers/${name}/attach?stream=1&stdout=1`)
    assert.equal(headers['content-type'], type)
    socket.destroy()
    await engine.api.json('DELETE', `/containers/${name}?force=1`)
  }
})

test('swarm routes say that this is no swarm', async () => {
  const answer = await engine.api.request('POST', '/swarm/leave')
  assert.deepEqual([answer.status, message(answer.text)], [503, 'This node is not part of a swarm'])
})

test('the engine answers on after every kind of torn request', async () => {
  const torn = [
    'GET /_ping HTTP/1.1\r\n',
    'POST /containers/create HTTP/1.1\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{',
    '\0\0\0\0',
    'GET / HTTP/9.9\r\n\r\n',
  ]
  for (const bytes of torn) {
    const socket = connect(engine.host.replace('unix://', ''))
    socket.on('error', () => {})
    socket.end(bytes)
    await new Promise((resolve) => socket.on('close', resolve).resume())
  }
  assert.equal((await get('/_ping')).status, 200)
})
