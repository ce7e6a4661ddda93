import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { RouteRequest, RouteSocket } from '../netlink/route-socket.ts'
import { loadRuleset } from '../nft/ruleset.ts'
import { forgetDatagrams } from './forget-datagrams.ts'

/** What the kernel remembers, in the network namespace of the test. */
const flowCount = (): number => Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'latin1'))
const port = 20_053

/** Has the kernel follow flows, with a socket behind the port so that none is refused. */
async function followFlows(): Promise<AsyncDisposable & { say(address: string): Promise<void> }> {
  using host = new RouteSocket()
  host.send(new RouteRequest().setUp(1), 'set up lo')
  await loadRuleset(`table inet t {
    chain others { type filter hook output priority raw; meta l4proto != udp notrack; }
    chain c { type filter hook output priority filter; ct state invalid drop; }
  }`)
  const server = createSocket('udp4').bind(port)
  const client = createSocket('udp4').bind(20_054)
  await Promise.all([once(server, 'listening'), once(client, 'listening')])
  const say = (address: string) => new Promise<void>((resolve) => client.send('x', port, address, () => resolve()))
  const dispose = async () => {
    server.close()
    client.close()
    await loadRuleset('delete table inet t')
  }
  return { say, [Symbol.asyncDispose]: dispose }
}

test('forgetDatagrams() forgets many flows while the loop goes on', async () => {
  await using flows = await followFlows()
  const many = 20_000
  // The whole of 127.0.0.0/8 is the host's own: each address makes a flow of its own.
  const sent: Promise<void>[] = []
  for (let index = 0; index < many; index++) {
    sent.push(flows.say(`127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`))
    if (sent.length % 500 === 0) await Promise.all(sent)
  }
  await Promise.all(sent)
  assert.ok(flowCount() >= many, `${flowCount()} flows`)
  let turns = 0
  const counting = setInterval(() => turns++, 0)
  await forgetDatagrams(new Set([port]))
  clearInterval(counting)
  assert.ok(flowCount() < 100, `${flowCount()} flows`)
  assert.ok(turns > 10, `${turns} turns of the loop`)
})

test('forgetDatagrams() forgets those to the host alone, whatever ports are named beside', async () => {
  await using flows = await followFlows()
  using host = new RouteSocket()
  host.send(new RouteRequest().addBridge('b0'), 'make b0')
  const index = host.link('b0')?.index ?? 0
  host.send(new RouteRequest().addAddress(index, '10.99.0.1', 24).setUp(index), 'set up b0')
  for (const others of [0, 1, 20]) {
    for (const address of ['127.0.0.1', '10.99.0.1', '10.99.0.2']) await flows.say(address)
    const before = flowCount()
    await forgetDatagrams(new Set([...Array.from({ length: others }, (_, other) => 1 + other), port]))
    assert.equal(flowCount(), before - 2)
  }
  await forgetDatagrams(new Set())
  host.send(new RouteRequest().deleteLink('b0'), 'delete b0')
})

test('forgetDatagrams() ends with its signal', async () => {
  await using flows = await followFlows()
  await flows.say('127.0.0.1')
  await assert.rejects(forgetDatagrams(new Set([port]), AbortSignal.abort()), { name: 'AbortError' })
})
