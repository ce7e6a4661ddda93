// What a client may send: refused with a reason or taken as it is, and never more than that client's own business.
import { Cli, type EngineAnswer, packTar, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'

const engine = useEngine()
const cli = new Cli('docker', engine)

interface Answer {
  readonly status: number
  readonly text: string
}

/** A body whose keys are taken literally, `__proto__` too. */
const post = (path: string, body: string): Promise<Answer> =>
  engine.api.request('POST', path, Buffer.from(body), { headers: { 'Content-Type': 'application/json' } })

const socketPath = (): string => engine.host.slice('unix://'.length)

/** What comes back for bytes that need not be HTTP. */
async function raw(bytes: string | Buffer): Promise<string> {
  const socket = connect(socketPath())
  socket.on('error', () => {})
  socket.end(bytes)
  return text(socket)
}

test('keys named __proto__ and constructor are keys, for the request and for all that follow', async () => {
  const evil = '{"Privileged":true,"CapAdd":["ALL"],"Binds":["/:/host"],"NetworkMode":"host","polluted":"yes","0":"x"}'
  const poison = `"__proto__":${evil},"constructor":{"prototype":${evil}}`
  const values = `"__proto__":"p","constructor":"c"`
  const body = `{"Image":"busybox","Labels":{${values}},"Healthcheck":{${poison}},"ExposedPorts":{"__proto__":{}},"Volumes":{},
    "HostConfig":{${poison},"LogConfig":{"Type":"","Config":{},${poison}},"Annotations":{${values}},"RestartPolicy":{${poison}}},
    "NetworkingConfig":{"EndpointsConfig":{},${poison}},${poison}}`
  const name = engine.name()
  const bad = await post(`/containers/create?name=${name}`, body)
  assert.equal(bad.status, 400, 'a port named __proto__ is none')
  const created = await post(`/containers/create?name=${name}`, body.replace('"ExposedPorts":{"__proto__":{}},', ''))
  assert.equal(created.status, 201, created.text)
  const inspected = (await engine.api.json('GET', `/containers/${name}/json`)) as {
    HostConfig: object
    Config: { Labels: object }
  }
  assert.deepEqual(Object.entries(inspected.Config.Labels), [
    ['__proto__', 'p'],
    ['constructor', 'c'],
  ])
  for (const filters of [
    `{${poison}}`,
    `{"label":{"__proto__":true}}`,
    `{"label":["__proto__=p"]}`,
    '{"__proto__":["x"]}',
  ]) {
    const query = `filters=${encodeURIComponent(filters)}`
    for (const path of ['/containers/json?all=1&', '/images/json?', '/events?until=1&']) {
      const { status } = await engine.api.request('GET', `${path}${query}`)
      assert.ok(status === 200 || status === 400, `${path}${filters}: ${status}`)
    }
  }
  const other = engine.name()
  await post(`/containers/create?name=${other}`, '{"Image":"busybox"}')
  const { HostConfig } = (await engine.api.json('GET', `/containers/${other}/json`)) as { HostConfig: object }
  const { HostConfig: poisoned } = inspected as { HostConfig: { Privileged?: boolean; Annotations?: object } }
  assert.deepEqual({ ...poisoned, Annotations: undefined }, { ...HostConfig, Annotations: undefined })
  assert.equal(poisoned.Privileged, false)
  for (const id of [name, other]) await engine.api.request('DELETE', `/containers/${id}`)
})

test('no path, name or reference leads anywhere but to what is registered', async () => {
  const names = [
    '../x',
    '..',
    '.',
    '/',
    '%2e%2e',
    '..%2f..%2fetc',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '%00',
    'a%00b',
    '%0a',
    '%ff',
    'a%2fb',
    '%F0%9F%92%A9',
    'x'.repeat(5000),
  ]
  for (const name of names) {
    for (const [method, path] of [
      ['GET', `/containers/${name}/json`],
      ['GET', `/containers/${name}/logs?stdout=1`],
      ['POST', `/containers/${name}/start`],
      ['GET', `/containers/${name}/export`],
      ['DELETE', `/containers/${name}?force=1`],
      ['GET', `/exec/${name}/json`],
      ['GET', `/images/${name}/json`],
      ['GET', `/images/${name}/get`],
      ['DELETE', `/images/${name}?force=1`],
      ['GET', `/networks/${name}`],
      ['DELETE', `/networks/${name}`],
      ['GET', `/volumes/${name}`],
      ['POST', `/containers/create?name=${name}`],
    ] as const) {
      // prettier-ignore
      const { status, text: answer } = await engine.api.request(method, path, method === 'POST' ? { Image: 'busybox' } : undefined)
      // a slash alone asks for a generated name; a long one is only long
      if (!/name=(\/|x+)$/.test(path))
        assert.ok(
          (status >= 400 && status < 500) || status === 301 || status === 501,
          `${method} ${path}: ${status} ${answer}`,
        )
      assert.doesNotMatch(answer, /root:|no such file|ENOENT|EISDIR/)
    }
  }
})

const refusedFields: readonly (readonly [string, object])[] = [
  ['an image by path', { Image: '../../etc/passwd' }],
  ['an image by a digest that climbs', { Image: 'sha256:../../../etc/passwd' }],
  ['a network by path', { HostConfig: { NetworkMode: '../../x' } }],
  ['the namespace of a path', { HostConfig: { NetworkMode: 'container:../../x' } }],
  ['the processes of a path', { HostConfig: { PidMode: 'container:../x' } }],
  ['a runtime by path', { HostConfig: { Runtime: '/tmp/evil' } }],
  ['a runtime that climbs', { HostConfig: { Runtime: '../../tmp/evil' } }],
  ['a log driver by path', { HostConfig: { LogConfig: { Type: '../x' } } }],
  ['a log in a place of choice', { HostConfig: { LogConfig: { Type: 'json-file', Config: { path: '/etc/x' } } } }],
  ['a setting of the host', { HostConfig: { Sysctls: { 'kernel.core_pattern': '|/tmp/evil' } } }],
  ['a setting that climbs', { HostConfig: { Sysctls: { 'net/../kernel/core_pattern': '|/tmp/evil' } } }],
  ['a setting that climbs by dots', { HostConfig: { Sysctls: { 'net.ipv4...kernel.core_pattern': 'x' } } }],
  ['a device that is none', { HostConfig: { Devices: [{ PathOnHost: '/etc/passwd', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }] } }],
  ['a volume driver', { HostConfig: { Binds: ['../x:/data'] } }],
] // prettier-ignore

test('what stands for a file of the host by a name is refused', async () => {
  for (const [what, fields] of refusedFields) {
    const answer = await engine.api.request('POST', `/containers/create?name=${engine.name()}`, {
      Image: 'busybox',
      ...fields,
    })
    if (answer.status !== 201) {
      assert.ok(
        (answer.status >= 400 && answer.status < 500) || answer.status === 501,
        `${what}: ${answer.status} ${answer.text}`,
      )
      continue
    }
    const { Id } = JSON.parse(answer.text) as { Id: string }
    const started = await engine.api.request('POST', `/containers/${Id}/start`)
    assert.ok(started.status >= 400, `${what}: ${started.status} ${started.text}`)
    await engine.api.request('DELETE', `/containers/${Id}?force=1`)
  }
})

test('a cgroup parent that climbs stays in the tree of cgroups', async () => {
  const folder = `/tmp/berth-climbed-${process.pid}`
  for (const parent of [`../../../../..${folder}`, `/../../..${folder}`, 'a/../../../b']) {
    const { code } = await cli.run(['run', '--rm', '--cgroup-parent', parent, 'busybox', 'true'])
    assert.ok(code === 0 || code === 125, `${parent}: ${code}`)
    assert.equal(existsSync(folder), false)
  }
})

test('numbers beyond reason are refused or bounded, and never end as 500', async () => {
  // 2^63 and 2^63 - 1 are the same number once they are parsed
  const numbers = [
    '1e400',
    '-1e400',
    '9223372036854777856',
    '-9223372036854777856',
    '1e30',
    '0.5',
    '"1"',
    'NaN',
    '[]',
    '{}',
    'true',
  ]
  const fields = [
    'Memory',
    'NanoCpus',
    'PidsLimit',
    'ShmSize',
    'OomScoreAdj',
    'CpuShares',
    'BlkioWeight',
    'MemorySwappiness',
  ]
  for (const field of fields) {
    for (const number of numbers) {
      const answer = await post(
        `/containers/create?name=${engine.name()}`,
        `{"Image":"busybox","HostConfig":{"${field}":${number}}}`,
      )
      assert.equal(answer.status, 400, `${field} ${number}: ${answer.text}`)
    }
  }
  const name = engine.name()
  await cli.ok(
    'run',
    '-d',
    '--name',
    name,
    'busybox',
    'sh',
    '-c',
    'trap "sleep 0.3; exit 7" TERM; while :; do sleep 0.1; done',
  )
  for (const number of ['1e400', '-1', '99999999999999999999', '0x10', 'NaN', '1.5', '']) {
    const paths = [
      'logs?stdout=1&tail=',
      'logs?stdout=1&since=',
      'stats?stream=0&x=',
      'resize?w=80&h=',
      'top?ps_args=-o,',
    ]
    for (const path of paths) {
      const { status } = await engine.api.request(
        path.startsWith('resize') ? 'POST' : 'GET',
        `/containers/${name}/${path}${number}`,
      )
      assert.ok(status < 500 || path.startsWith('top'), `${path}${number}: ${status}`)
    }
    assert.ok((await engine.api.request('GET', `/containers/json?limit=${number}`)).status < 500)
  }
  // a time-out of years is no time-out at all
  await engine.api.request('POST', `/containers/${name}/stop?t=2147483647`)
  assert.equal(await cli.ok('inspect', '-f', '{{.State.ExitCode}}', name), '7')
  await cli.ok('rm', '-f', name)
})

test('a regular expression of a client holds up neither that client for long nor anybody else', async () => {
  const name = `${'a'.repeat(60)}-`
  await cli.ok('create', '--name', name, 'busybox')
  const started = performance.now()
  for (const pattern of ['^/?(a+)+$', '^/?(a|a)*$', '(?i)^/?(a|a|a{1,20})*$', '(?=(a+)+$)', '(a*)*(a*)*(a*)*b']) {
    const filters = encodeURIComponent(JSON.stringify({ name: [pattern] }))
    const listing = engine.api.request('GET', `/containers/json?all=1&filters=${filters}`)
    assert.equal(await engine.api.ping(), true)
    assert.ok((await listing).status < 500, pattern)
  }
  const env = [`${'a'.repeat(200)}!=1`]
  for (const option of ['env-regex', 'labels-regex']) {
    const config = { Type: 'json-file', Config: { [option]: '^(a+)+$' } }
    const body = {
      Image: 'busybox',
      Cmd: ['true'],
      Env: env,
      Labels: { [env[0]!]: '' },
      HostConfig: { LogConfig: config },
    }
    const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
    await engine.api.json('POST', `/containers/${Id}/start`)
    await engine.api.request('DELETE', `/containers/${Id}?force=1`)
  }
  assert.ok(performance.now() - started < 5000)
  await cli.ok('rm', name)
})

test('no answer carries a header or a second answer that a request smuggled in', async () => {
  const get = 'GET /_ping HTTP/1.1\r\nHost: x\r\n'
  const smuggled = 'GET /version HTTP/1.1\r\nHost: x\r\n\r\n'
  const requests = [
    `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}\r\n${smuggled}`,
    `POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\n{}\r\n${smuggled}`,
    `POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${smuggled}`,
    `${get}X: a\r\n folded\r\n\r\n`,
    `${get}Bad Header: x\r\n\r\n`,
    `${get.replaceAll('\r\n', '\n')}\n`,
    'GET /_ping\r\n\r\n',
    'GET /_ping HTTP/9.9\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    `GET /${'x'.repeat(300_000)} HTTP/1.1\r\n\r\n`,
  ]
  for (const request of requests) {
    const answers = (await raw(request)).match(/^HTTP\/1\.1 \d+/gm) ?? []
    assert.ok(answers.length <= 1, `${JSON.stringify(request.slice(0, 200))}: ${answers.join()}`)
    assert.doesNotMatch(answers.join(), /\b(101|5\d\d)\b/)
  }
  const split = 'x%0d%0aSet-Cookie:%20a=b%0d%0a%0d%0aHTTP/1.1%20200%20OK'
  for (const path of [
    `/containers/${split}/json`,
    `//${split}`,
    `/images/${split}/json`,
    `/v1.44%0d%0aA:b/info`,
    '//evil.example/x',
  ]) {
    const answer: EngineAnswer = await engine.api.open('GET', path)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.doesNotMatch(answer.headers.location ?? '', /[\r\n]|^\/\/|^http/)
    answer.body.resume()
  }
})

test('documents nested a hundred thousand deep are refused', async () => {
  const depth = 100_000
  const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`
  const nested = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  for (const [path, body] of [
    ['/containers/create', `{"Image":"busybox","Cmd":${deep}}`],
    ['/containers/create', `{"Image":"busybox","HostConfig":{"Binds":${deep},"LogConfig":${nested}}}`],
    ['/containers/create', nested],
    ['/commit', deep],
    ['/exec/x/start', nested],
  ] as const) {
    const { status } = await post(path, body)
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`)
  }
  const archive = packTar([
    { path: 'manifest.json', content: `[{"Config":"c","RepoTags":[],"Layers":["l"]}]` },
    { path: 'c', content: nested },
    { path: 'l', content: '' },
  ])
  const answer = await engine.api.request('POST', '/images/load', archive, {
    headers: { 'Content-Type': 'application/x-tar' },
  })
  assert.match(answer.text, /error|message/)
  assert.equal(
    (await engine.api.request('GET', `/containers/json?filters=${encodeURIComponent(deep.slice(0, 50_000))}`)).status,
    400,
  )
})
