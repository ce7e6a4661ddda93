import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveUser } from './users.ts'

const files = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    '# a comment',
    'broken line',
    'foo:x:1000:1001::/home/foo:/bin/sh',
    '42:x:7:7::/seven:',
    'big:x:4294967296:0::/:',
    'bare:x:9:9',
    '',
  ].join('\n'),
  group: 'root:x:0:\nwheel:x:10:root,foo\nfoo:x:1001:\nbar:x:1002:foo\nnogid:x::foo\n',
}

test('resolveUser() finds users, groups and homes as Docker does', () => {
  const cases: [string, readonly string[], unknown][] = [
    ['', [], { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' }],
    ['root', [], { uid: 0, gid: 0, additionalGids: [0, 10], home: '/root' }],
    ['foo', [], { uid: 1000, gid: 1001, additionalGids: [1001, 10, 1002], home: '/home/foo' }],
    ['1000', [], { uid: 1000, gid: 1001, additionalGids: [1001, 10, 1002], home: '/home/foo' }],
    ['foo:bar', [], { uid: 1000, gid: 1002, additionalGids: [1002], home: '/home/foo' }],
    ['foo:5', ['55', 'wheel'], { uid: 1000, gid: 5, additionalGids: [5, 55, 10], home: '/home/foo' }],
    ['12345', [], { uid: 12345, gid: 0, additionalGids: [0], home: '/' }],
    ['2147483647:2147483647', [], { uid: 2147483647, gid: 2147483647, additionalGids: [2147483647], home: '/' }],
    ['42', [], { uid: 42, gid: 0, additionalGids: [0], home: '/' }],
    ['bare', [], { uid: 9, gid: 9, additionalGids: [9], home: '/' }],
    [':bar', [], { uid: 0, gid: 1002, additionalGids: [1002], home: '/root' }],
  ]
  for (const [spec, groupAdd, expected] of cases) assert.deepEqual(resolveUser(spec, files, groupAdd), expected, spec)
})

test('resolveUser() needs no files for numbers', () => {
  const none = { passwd: '', group: '' }
  assert.deepEqual(resolveUser('', none), { uid: 0, gid: 0, additionalGids: [0], home: '/' })
  assert.deepEqual(resolveUser('7:8', none, ['9']), { uid: 7, gid: 8, additionalGids: [8, 9], home: '/' })
})

test('resolveUser() refuses unknown names and ids that wrap', () => {
  const range = 'uids and gids must be in range 0-2147483647'
  const cases: [string, readonly string[], string][] = [
    ['nosuch', [], 'unable to find user nosuch: no matching entries in passwd file'],
    ['0:nosuch', [], 'unable to find group nosuch: no matching entries in group file'],
    ['', ['nosuch'], 'unable to find group nosuch: no matching entries in group file'],
    ['2147483648', [], range],
    ['4294967296', [], range],
    ['-1', [], range],
    ['0:2147483648', [], range],
    ['0', ['4294967296'], range],
    ['big', [], range],
    ['99999999999999999999999', [], range],
  ]
  for (const [spec, groupAdd, message] of cases) {
    assert.throws(() => resolveUser(spec, files, groupAdd), { kind: 'invalid', message }, spec)
  }
})
