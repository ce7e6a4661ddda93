// A distribution's kernel, with its modules: names, links beside the bridge's, SCTP.
import { Cli, command, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { test } from 'node:test'

// The parents of links are in the engine's own network namespace.
const engine = useEngine({ prepare: (sandbox) => void parents(sandbox.pid) })
const cli = new Cli('berth', engine)
let made: Promise<unknown> = Promise.resolve()

function parents(pid: number): void {
  const script =
    'ip link add up0 type dummy && ip link set up0 up && ip link add link up0 name up0.7 type vlan id 7 && ip link set up0.7 up'
  made = command('nsenter', ['-n', '-t', `${pid}`, 'sh', '-c', script])
}

/** Two containers of a network: the second finds the first by its name, and gets an answer. */
async function meet(network: string): Promise<void> {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, '--network', network, 'busybox', 'sleep', '10000')
  const said = await cli.ok('run', '--rm', '--network', network, 'busybox', 'ping', '-c', '1', '-w', '20', name)
  assert.match(said, /1 packets received/)
  await cli.ok('rm', '-f', name)
  await cli.ok('network', 'rm', network)
}

test('a container finds another of its network by its name', async () => {
  await cli.ok('network', 'create', 'own')
  await meet('own')
})

test('containers of a macvlan network reach each other by name', async () => {
  await made
  const options = ['-d', 'macvlan', '-o', 'parent=up0', '-o', 'macvlan_mode=bridge', '--subnet', '10.91.0.0/24']
  await cli.ok('network', 'create', ...options, 'macs')
  await meet('macs')
})

test('containers of an ipvlan network of a sub-interface reach each other by name', async () => {
  await made
  const options = ['-d', 'ipvlan', '-o', 'parent=up0.7', '-o', 'ipvlan_mode=l2', '--subnet', '10.92.0.0/24']
  await cli.ok('network', 'create', ...options, 'ips')
  await meet('ips')
})

test('a published port of SCTP is translated to the container’s', async () => {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, '-p', '7777:7777/sctp', 'busybox', 'sleep', '10000')
  assert.equal(await cli.ok('port', name), '7777/sctp -> 0.0.0.0:7777')
  const netns = engine.daemon!.sandbox.netns
  const { stdout } = await command('nsenter', [`--net=${netns}`, 'nft', 'list', 'ruleset'])
  assert.match(stdout, /sctp \. 7777 : 172\.17\.\d+\.\d+ \. 7777/)
  await cli.ok('rm', '-f', name)
})
