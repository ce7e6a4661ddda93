import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHtpasswd } from './htpasswd.ts'

const hash = '$2y$05$WSv9.YCbSBV3.TAUESzRyu81zUvqZSK74YvehzZ.RUS9qw2KfaXki'

test('parseHtpasswd() reads what htpasswd -B writes', () => {
  assert.deepEqual(
    parseHtpasswd(`# users\n\nann:${hash}\r\nbob:${hash}\n`, 'f'),
    new Map([
      ['ann', hash],
      ['bob', hash],
    ]),
  )
})

test('parseHtpasswd() refuses other hashes and plain passwords, and never repeats them', () => {
  for (const bad of ['ann:secret', 'ann:$apr1$a$b', 'ann:{SHA}xyz', `ann:${hash}x`]) {
    assert.throws(() => parseHtpasswd(bad, '/etc/users'), {
      kind: 'invalid',
      message: '/etc/users, line 1: the password of ann is not hashed with bcrypt: use htpasswd -B',
    })
  }
  assert.throws(() => parseHtpasswd('secret', '/etc/users'), { message: '/etc/users, line 1: want USER:HASH' })
})
