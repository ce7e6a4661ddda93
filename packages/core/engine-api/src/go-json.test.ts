import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJson } from './go-json.ts'

const message = (text: string): string => {
  try {
    parseJson(text)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

test("parseJson() words syntax errors as Go's decoder does", () => {
  const cases: Record<string, string> = {
    '{': 'invalid JSON: unexpected EOF',
    '{"Image":"a': 'invalid JSON: unexpected EOF',
    invalid: "invalid JSON: invalid character 'i' looking for beginning of value",
    '{"a":tru}': "invalid JSON: invalid character '}' in literal true (expecting 'e')",
    '{"a":1,}': "invalid JSON: invalid character '}' looking for beginning of object key string",
    '{"a" 1}': "invalid JSON: invalid character '1' after object key",
    '{"a":1 "b"}': `invalid JSON: invalid character '"' after object key:value pair`,
    '[1 2]': "invalid JSON: invalid character '2' after array element",
    '[1,]': "invalid JSON: invalid character ']' looking for beginning of value",
    '"\n"': String.raw`invalid JSON: invalid character '\n' in string literal`,
    '"\\x"': "invalid JSON: invalid character 'x' in string escape code",
    '"\\u00g0"': "invalid JSON: invalid character 'g' in \\u hexadecimal character escape",
    '-a': "invalid JSON: invalid character 'a' in numeric literal",
    '1.a': "invalid JSON: invalid character 'a' after decimal point in numeric literal",
    '1ea': "invalid JSON: invalid character 'a' in exponent of numeric literal",
    '{"a":[{"b":[]},{}]} x': 'unexpected content after JSON',
    '{} {}': 'unexpected content after JSON',
  }
  for (const [text, expected] of Object.entries(cases)) assert.equal(message(text), expected, text)
})

test('parseJson() refuses what is nested too deeply and survives it', () => {
  assert.equal(message('['.repeat(100_000)), 'invalid JSON: exceeded max depth')
})
