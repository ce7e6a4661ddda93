import { MS_BIND, MS_NOSUID, MS_RDONLY, MS_REC, MS_REMOUNT, MS_SHARED } from '@berth/linux'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressToResolve, planMount, withAddress, withoutPassword } from './plan-mount.ts'

test('planMount() sets what words of mount(8) say, the last one counts, and leaves the rest to the file system', () => {
  assert.deepEqual(planMount({ type: 'tmpfs', device: 'tmpfs', options: 'ro,size=1m,nosuid,rw,uid=3' }), [
    { source: 'tmpfs', type: 'tmpfs', flags: MS_NOSUID, data: 'size=1m,uid=3' },
  ])
})

test('planMount() gives a bind its other flags, and any mount its propagation, in calls of their own', () => {
  const bind = { source: '/a', type: 'none', data: '' }
  assert.deepEqual(planMount({ type: 'none', device: '/a', options: 'rbind,ro,rshared' }), [
    { ...bind, flags: MS_BIND | MS_REC | MS_RDONLY },
    { ...bind, flags: MS_BIND | MS_REC | MS_RDONLY | MS_REMOUNT },
    { source: '', type: '', flags: MS_SHARED | MS_REC, data: '' },
  ])
})

test('planMount() takes names of object properties for options of the file system', () => {
  const [call] = planMount({ type: 'tmpfs', device: 'x', options: 'constructor,__proto__' })
  assert.deepEqual([call?.flags, call?.data], [0, 'constructor,__proto__'])
})

test('addressToResolve() finds names of servers, and withAddress() replaces them', () => {
  const nfs = (options: string) => ({ type: 'nfs', device: ':/x', options })
  const options = ['addr=host,rw', 'rw,addr=10.0.0.1', 'addr=fd00::1', 'rw']
  assert.deepEqual(
    options.map((text) => addressToResolve(nfs(text))),
    ['host', undefined, undefined, undefined],
  )
  assert.equal(addressToResolve({ ...nfs('addr=host'), type: 'ext4' }), undefined)
  assert.equal(withAddress(nfs('rw,addr=host,ro'), '10.0.0.1').options, 'rw,addr=10.0.0.1,ro')
})

test('withoutPassword() hides what must not be told', () => {
  assert.equal(withoutPassword('a=b,password=x,pass=y,user=z'), 'a=b,password=********,pass=********,user=z')
})
