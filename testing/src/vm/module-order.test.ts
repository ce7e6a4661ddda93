import assert from 'node:assert/strict'
import { test } from 'node:test'
import { moduleOrder } from './module-order.ts'

const text = `kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/lib/crc16.ko:
kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko
kernel/net/9p/9pnet.ko:
`

test('moduleOrder() names each module once, after what it needs', () => {
  assert.deepEqual(moduleOrder(text, ['9p', 'ext4', 'jbd2']), [
    'kernel/net/9p/9pnet.ko',
    'kernel/fs/9p/9p.ko',
    'kernel/fs/jbd2/jbd2.ko',
    'kernel/lib/crc16.ko',
    'kernel/fs/ext4/ext4.ko',
  ])
})

test('moduleOrder() fails for a module that the kernel does not have', () => {
  assert.throws(() => moduleOrder(text, ['ext']), /no module ext/)
})
