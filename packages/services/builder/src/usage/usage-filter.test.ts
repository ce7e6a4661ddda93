import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FilteredRecord, usageFilter } from './usage-filter.ts'

const layer: FilteredRecord = {
  id: 'abc123',
  type: 'regular',
  parents: ['p1', 'p2'],
  description: '[2/2] RUN echo "a, b"',
  isInUse: false,
  isMutable: false,
  isShared: true,
}

const matching: readonly (readonly string[])[] = [
  [],
  [''],
  ['type==regular'],
  ['type==regular,shared,immutable'],
  ['type==exec.cachemount', 'id~=^abc'],
  ['id~=c1'],
  ['id!=x'],
  ['description=="[2/2] RUN echo \\"a, b\\""'],
  ['parents==p1;p2'],
]
const others: readonly (readonly string[])[] = [
  ['type==exec.cachemount'],
  ['type==regular,private'],
  ['inuse'],
  ['mutable'],
  ['id==abc'],
  ['nothing==x'],
  ['nothing'],
]

for (const filters of matching) {
  test(`usageFilter() takes a record by ${JSON.stringify(filters)}`, () => assert.ok(usageFilter(filters)(layer)))
}
for (const filters of others) {
  test(`usageFilter() leaves a record by ${JSON.stringify(filters)}`, () => assert.ok(!usageFilter(filters)(layer)))
}
for (const filter of ['==x', 'id==a b', 'id=x', 'id=="x', '!']) {
  test(`usageFilter() refuses ${filter}`, () => assert.throws(() => usageFilter([filter]), /filters: parse error/))
}

test('usageFilter() is not held up by a pattern', () => {
  const startMs = performance.now()
  try {
    usageFilter(['description~=(a+)+$'])({ ...layer, description: 'a'.repeat(40) + '!' })
  } catch {
    // Given up.
  }
  assert.ok(performance.now() - startMs < 2000)
})

test('usageFilter() answers soon whatever the filter', () => {
  const startedMs = performance.now()
  const spaces = ' '.repeat(100_000)
  for (const filter of [`type${spaces}x`, `type==${spaces}x y`, `type==a${spaces}x`, `type==${spaces}"x`]) {
    assert.throws(() => usageFilter([filter]), { kind: 'invalid' })
  }
  assert.ok(usageFilter([` type ${spaces}==${spaces}regular${spaces}, shared == ""`])(layer))
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})
