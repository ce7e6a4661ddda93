import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { setUp } from '../testing/fixture.ts'

test('load() of garbage lets the client hear the answer, though it sends all of it first', async (t) => {
  const { images } = await setUp(t)
  const server = createServer((incoming, response) => {
    images.load(incoming, { quiet: true }, () => {}).catch((error: Error) => response.end(error.message))
  }).listen(0, '127.0.0.1')
  const agent = new Agent({ keepAlive: true })
  t.after(() => {
    agent.destroy()
    server.close()
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const head of [Buffer.alloc(512, 'x'), Buffer.from('1f8b0800ffff', 'hex')]) {
    const client = request({ port, method: 'POST', agent })
    client.write(head)
    client.end(Buffer.alloc(4_000_000, 'x'))
    const [response] = await once(client, 'response')
    assert.match(Buffer.concat(await Array.fromAsync(response as Readable)).toString(), /archive|gzip/)
  }
})
