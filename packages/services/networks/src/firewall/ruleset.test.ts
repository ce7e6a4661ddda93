import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPorts } from '../ports/ports.ts'
import { buildRuleset, type PublishedPort } from './ruleset.ts'
import { parseCidr } from '../ipam/subnet.ts'

const bridge = { name: 'berth0', subnet: parseCidr('172.17.0.1/16').subnet, masquerade: true }
const port = (hostIp: string): PublishedPort => ({
  protocol: 'tcp',
  hostIp,
  hostPort: 8080,
  containerIp: '172.17.0.2',
  containerPort: 80,
})

test('buildRuleset() replaces the one table in one script', () => {
  assert.equal(
    buildRuleset(bridge, [port('0.0.0.0'), port('127.0.0.1')]),
    `add table inet berth
delete table inet berth
table inet berth {
	map ports_any {
		type inet_proto . inet_service : ipv4_addr . inet_service
		elements = { tcp . 8080 : 172.17.0.2 . 80 }
	}
	map ports {
		type inet_proto . ipv4_addr . inet_service : ipv4_addr . inet_service
		elements = { tcp . 127.0.0.1 . 8080 : 172.17.0.2 . 80 }
	}
	chain published {
		dnat ip to meta l4proto . ip daddr . th dport map @ports
		dnat ip to meta l4proto . th dport map @ports_any
	}
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 127.0.0.0/8 return
		meta l4proto { tcp, udp } fib daddr type local jump published
	}
	chain output {
		type nat hook output priority -100; policy accept;
		meta l4proto { tcp, udp } fib daddr type local jump published
	}
	chain guard {
		type filter hook prerouting priority raw; policy accept;
		iifname "berth0" ip daddr 127.0.0.0/8 drop
		iifname "berth0" ip saddr 127.0.0.0/8 drop
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 172.17.0.0/16 oifname != "berth0" masquerade
		oifname "berth0" ip saddr 127.0.0.0/8 masquerade
		oifname "berth0" ip saddr 172.17.0.0/16 ct status dnat masquerade
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		oifname "berth0" ct state established,related accept
		iifname "berth0" accept
		oifname "berth0" ct status dnat accept
		oifname "berth0" drop
	}
}
`,
  )
})

test('buildRuleset() without ports has empty maps, and without masquerading no such rule', () => {
  const text = buildRuleset({ ...bridge, masquerade: false }, [])
  assert.doesNotMatch(text, /elements|oifname != /)
})

test('planPorts() decodes bindings, ranges and defaults', () => {
  const planned = planPorts({
    '80/tcp': [
      { HostIp: '', HostPort: '8080-8090' },
      { HostIp: '127.0.0.1', HostPort: '' },
    ],
    '53/udp': [{ HostIp: '0.0.0.0', HostPort: '53' }],
    '99/tcp': null,
  })
  assert.deepEqual(planned, [
    { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', from: 8080, to: 8090 },
    { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', from: 0, to: 0 },
    { protocol: 'udp', containerPort: 53, hostIp: '0.0.0.0', from: 53, to: 53 },
  ])
})

test('planPorts() refuses what is malformed or not served', () => {
  const plan = (port: string, HostIp = '', HostPort = '1') => planPorts({ [port]: [{ HostIp, HostPort }] })
  for (const bad of ['x/tcp', '0/tcp', '65536/tcp', '80/foo', '80/tcp/x'])
    assert.throws(() => plan(bad), { kind: 'invalid' })
  assert.throws(() => plan('80/tcp', '1.2.3'), { kind: 'invalid', message: 'invalid host IP address: 1.2.3' })
  for (const bad of ['70000', '9-8', '1-', 'x']) assert.throws(() => plan('80/tcp', '', bad), { kind: 'invalid' })
  assert.throws(() => plan('80/sctp'), { kind: 'notImplemented' })
  assert.throws(() => plan('80/tcp', '::1'), { kind: 'notImplemented' })
})
