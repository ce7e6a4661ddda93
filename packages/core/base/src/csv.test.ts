import assert from 'node:assert/strict'
import { test } from 'node:test'
import { splitCsv } from './csv.ts'

test('splitCsv() takes quoted fields, with commas and doubled quotes', () => {
  assert.deepEqual(splitCsv('a,"b,c","d""e",'), ['a', 'b,c', 'd"e', ''])
})

test('splitCsv() says where a quote is out of place, as Go does', () => {
  const wrong: readonly (readonly [string, string])[] = [
    ['type=bi"nd', 'column 8: bare " in non-quoted-field'],
    ['ab,c"d"', 'column 5: bare " in non-quoted-field'],
    ['"a",b"', 'column 6: bare " in non-quoted-field'],
    ['ü"x', 'column 3: bare " in non-quoted-field'],
    ['"type=bind', 'column 11: extraneous or missing " in quoted-field'],
    ['a,"b', 'column 5: extraneous or missing " in quoted-field'],
    ['"a"b', 'column 3: extraneous or missing " in quoted-field'],
  ]
  for (const [text, what] of wrong) {
    assert.throws(() => splitCsv(text), { message: `parse error on line 1, ${what}` }, text)
  }
})
