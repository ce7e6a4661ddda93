import assert from 'node:assert/strict'
import { closeSync, openSync } from 'node:fs'
import { test } from 'node:test'
import { listenSocket } from '@berth/linux'
import { Config } from './config/config.ts'
import { listenTargets } from './listen-targets.ts'
import { planPaths } from './paths.ts'

function targets(hosts: readonly string[], passed: readonly number[]) {
  const config = new Config({ hosts })
  return listenTargets(config, planPaths(config), passed)
}

test('listenTargets() has for fd:// the sockets that were passed, and for fd://N one of them', (t) => {
  const sockets = [0, 1].map(() => listenSocket({ protocol: 'tcp', address: '127.0.0.1', port: 0 }))
  t.after(() => sockets.forEach(({ fd }) => closeSync(fd)))
  const wanted = sockets.map(({ fd, port }) => ({ kind: 'fd', fd, bound: { host: '127.0.0.1', port } }))
  const fds = sockets.map(({ fd }) => fd)
  assert.deepEqual(targets(['fd://'], fds), wanted)
  assert.deepEqual(targets(['fd://*'], fds), wanted)
  assert.deepEqual(targets([`fd://${fds[1]}`], fds), wanted.slice(1))
  assert.throws(() => targets(['fd://', `fd://${fds[0]}`], fds), /descriptor \d+ is named twice/)
})

test('listenTargets() says what is wrong with the sockets that were passed', (t) => {
  const udp = listenSocket({ protocol: 'udp', address: '127.0.0.1', port: 0 }).fd
  const file = openSync('/dev/null', 'r')
  t.after(() => [udp, file].forEach((fd) => closeSync(fd)))
  const none = /^no sockets found via socket activation: make sure the service was started by systemd$/
  assert.throws(() => targets(['fd://'], []), { message: none })
  assert.throws(() => targets(['fd://3'], []), { message: none })
  assert.throws(
    () => targets(['fd://5'], [3, 4]),
    /too few socket activated files passed in by systemd: 3, 4, and no 5/,
  )
  for (const fd of [udp, file, 99_999]) {
    assert.throws(() => targets(['fd://'], [fd]), new RegExp(`systemd activated file: fd ${fd} is no stream socket`))
  }
})
