import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTag, type TagSubject, validateTag } from './log-tag.ts'

const subject = {
  id: 'f00d'.repeat(16),
  name: 'web',
  imageId: `sha256:${'ab'.repeat(32)}`,
  args: ['sleep', '1'],
  config: { Image: 'busybox' },
} as unknown as TagSubject

test('formatTag() fills fields in', () => {
  const tag = 'x/{{.Name}}/{{ .ID }}/{{.FullName}}/{{.ImageName}}/{{.ImageID}}/{{.Command}}'
  assert.equal(formatTag(tag, subject), 'x/web/f00df00df00d//web/busybox/sha256:ababa/sleep 1')
})

test('validateTag() refuses what it cannot fill in', () => {
  validateTag('plain {{.Name}}')
  for (const tag of ['{{.Foo', '{{.Foo}}', '{{upper .Name}}', '}}', '{{.constructor}}']) {
    assert.throws(() => validateTag(tag), { kind: 'invalid' }, tag)
  }
})
