import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listAll, listOne } from './port.ts'

test('listAll() and listOne() order bindings by their text, with numbers as numbers, as docker does', () => {
  const bind = (HostIp: string, HostPort: string) => ({ HostIp, HostPort })
  const ports = {
    '100/tcp': [bind('0.0.0.0', '9')],
    '80/tcp': [bind('0.0.0.0', '18080'), bind('::', '18080'), bind('127.0.0.1', '1'), bind('::1', '2')],
    '80/udp': null,
  }
  const ofOne = ['0.0.0.0:18080', '127.0.0.1:1', '[::1]:2', '[::]:18080']
  assert.equal(listOne(ports, '80', 'c'), ofOne.map((line) => `${line}\n`).join(''))
  const ofAll = [...ofOne.map((line) => `80/tcp -> ${line}`), '100/tcp -> 0.0.0.0:9']
  assert.equal(listAll(ports), ofAll.map((line) => `${line}\n`).join(''))
})
