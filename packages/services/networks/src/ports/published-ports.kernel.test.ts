import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { noDescriptors, silentLogger } from '@berth/base'
import { RouteRequest, RouteSocket } from '@berth/linux'
import { PublishedPorts } from './published-ports.ts'
import { Relay } from './relay.ts'

using host = new RouteSocket()
host.send(new RouteRequest().setUp(1), 'set up lo')

const relay = new Relay({ store: noDescriptors, report: () => {} })
const ports = new PublishedPorts({ logger: silentLogger, store: noDescriptors, relay })
after(() => ports[Symbol.dispose]())

const wanted = { protocol: 'tcp', from: 0, to: 0, containerPort: 80, hostIps: ['0.0.0.0', '::'] } as const

function published(): { readonly addresses: string[]; readonly hostPort: number } {
  const taken = ports.publish([wanted], { ipv4: '172.17.0.2' })
  ports.release(taken)
  return { addresses: taken.map(({ hostIp }) => hostIp), hostPort: taken[0]?.hostPort ?? 0 }
}

test('PublishedPorts.publish() gives no binding on :: while the host has IPv6 turned off', () => {
  const disabled = '/proc/sys/net/ipv6/conf/all/disable_ipv6'
  const before = published().addresses
  writeFileSync(disabled, '1')
  const without = published().addresses
  writeFileSync(disabled, '0')
  assert.deepEqual([before, without, published().addresses], [['0.0.0.0', '::'], ['0.0.0.0'], ['0.0.0.0', '::']])
})

test('PublishedPorts.publish() chooses of the ports that the kernel gives to clients at the moment', () => {
  const range = '/proc/sys/net/ipv4/ip_local_port_range'
  const before = readFileSync(range, 'latin1')
  const [first = 0] = before.split(/\s+/).map(Number)
  assert.ok(published().hostPort >= first)
  writeFileSync(range, '20000 20001')
  assert.deepEqual(
    [published(), published(), published()].map(({ hostPort }) => hostPort),
    [20000, 20001, 20000],
  )
  writeFileSync(range, before)
})
