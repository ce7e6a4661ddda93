import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { ProxyStream } from './proxy-stream.ts'

test('ProxyStream carries both ways, keeps half close and awaits beforeEnd', async () => {
  const [near, far] = duplexPair()
  const order: string[] = []
  const proxy = new ProxyStream(near, { beforeEnd: async () => void order.push('before end') })
  far.on('data', (chunk: Buffer) => far.write(chunk.toString().toUpperCase()))
  far.on('end', () => far.end('!'))
  proxy.end('abc')
  assert.equal(await text(proxy), 'ABC!')
  assert.deepEqual(order, ['before end'])
})

test('ProxyStream ends when the filter says so, with what came before', async () => {
  const remote = new PassThrough()
  const received: string[] = []
  remote.on('data', (chunk: Buffer) => received.push(chunk.toString()))
  const filterInput = (chunk: Buffer) => {
    const end = chunk.indexOf('q')
    return { forward: end < 0 ? chunk : chunk.subarray(0, end), ends: end >= 0 }
  }
  const proxy = new ProxyStream(remote, { filterInput })
  proxy.write('a')
  proxy.write('bq')
  await text(proxy)
  assert.deepEqual([received.join(''), remote.destroyed], ['ab', true])
})

test("ProxyStream shows all of the remote's that comes and ends before `first` has ended", async () => {
  const remote = new PassThrough()
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const first = async function* () {
    await held
    yield Buffer.from('a')
  }
  const proxy = new ProxyStream(remote, { first: first() })
  const shown = text(proxy)
  remote.end('b')
  await new Promise((resolve) => setImmediate(resolve))
  release()
  assert.equal(await shown, 'ab')
})
