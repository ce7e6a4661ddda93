import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { after, test, type TestContext } from 'node:test'
import { createRegistries, defaultSettings } from '@berth/registry'
import type { Progress } from './images.ts'
import { openRemote } from './open-remote.ts'

const never = new AbortController().signal
const registries = createRegistries(defaultSettings)
after(() => registries[Symbol.dispose]())
const open = (source: string, progress: Progress = () => {}, signal = never) =>
  openRemote(registries, source, { progress, signal })

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('openRemote() gives the bytes and tells of them, also without a scheme', async (t) => {
  const host = await serve(t, (_, response) => void response.end('x'.repeat(5000)))
  const told: Readonly<Record<string, unknown>>[] = []
  const stream = await open(`${host}/a.tar`, (message) => void told.push(message))
  assert.equal((await buffer(stream)).length, 5000)
  assert.deepEqual(told[0], { status: `Downloading from http://${host}/a.tar` })
  assert.deepEqual(told.at(-1), {
    status: 'Importing',
    progressDetail: { current: 5000, total: 5000 },
    progress: `[${'='.repeat(50)}>]      5kB/5kB`,
  })
})

test('openRemote() says in words why there is nothing', async (t) => {
  const host = await serve(t, (_, response) => void response.writeHead(404, 'Gone').end('y'.repeat(1 << 20)))
  const refuses = (source: string, expected: object) => assert.rejects(open(source), expected)
  const message = `failed to GET http://${host}/a with status 404 Gone: ${'y'.repeat(1024)}`
  await refuses(`http://${host}/a`, { kind: 'notFound', message })
  await refuses('http://127.0.0.1:1/a', { message: /^Get "http:\/\/127\.0\.0\.1:1\/a": / })
  await refuses('file:///etc/shadow', {
    message: 'Get "file:///etc/shadow": unsupported protocol scheme "file"',
  })
})

test('openRemote() fails when the server goes, or when the client has gone', async (t) => {
  const host = await serve(t, (request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 }).write('begin')
    if (request.url === '/cut') setTimeout(() => response.destroy(), 20)
  })
  await assert.rejects(buffer(await open(`${host}/cut`)))
  const leaving = new AbortController()
  const stream = await open(`${host}/endless`, () => {}, leaving.signal)
  setTimeout(() => leaving.abort(), 20)
  await assert.rejects(buffer(stream))
})
