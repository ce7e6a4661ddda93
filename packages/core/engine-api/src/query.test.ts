import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boolParameter, intParameter, platformParameter, sizeParameter, timeParameter } from './query.ts'

const query = (text: string) => new URLSearchParams(text)

test("boolParameter() follows Docker's rule", () => {
  for (const value of ['', '0', 'no', 'False', 'none', ' 0 '])
    assert.equal(boolParameter(query(`a=${value}`), 'a', true), false)
  for (const value of ['1', 'true', 'zzz', 'on']) assert.equal(boolParameter(query(`a=${value}`), 'a'), true)
  assert.equal(boolParameter(query(''), 'a', true), true)
})

test('intParameter() words what is no number', () => {
  assert.deepEqual([intParameter(query('a=-1'), 'a'), intParameter(query('a='), 'a')], [-1, undefined])
  assert.throws(() => intParameter(query('a=zz'), 'a'), { message: 'strconv.Atoi: parsing "zz": invalid syntax' })
})

test('sizeParameter() names the side', () => {
  assert.equal(sizeParameter(query('h=24'), 'h'), 24)
  assert.throws(() => sizeParameter(query(''), 'h'), { message: 'invalid resize height "": invalid syntax' })
  assert.throws(() => sizeParameter(query('h=-1'), 'h'), { message: 'invalid resize height "-1": value out of range' })
  assert.throws(() => sizeParameter(query('w=999999999999'), 'w'), {
    message: 'invalid resize width "999999999999": value out of range',
  })
})

test('timeParameter() takes seconds, fractions and RFC 3339', () => {
  assert.equal(timeParameter(query('since=1.5'), 'since'), 1_500_000_000n)
  assert.equal(timeParameter(query('since=1795248655.869236382'), 'since'), 1_795_248_655_869_236_382n)
  assert.equal(timeParameter(query('since=1970-01-01T00:00:01Z'), 'since'), 1_000_000_000n)
  assert.throws(() => timeParameter(query('since=zz'), 'since'), /strconv.ParseInt: parsing "zz": invalid syntax/)
})

test('platformParameter() reads the JSON form', () => {
  assert.equal(platformParameter(query('platform={"os":"linux","architecture":"arm","variant":"v7"}')), 'linux/arm/v7')
  assert.equal(platformParameter(query('')), undefined)
})

test('platformParameter() takes null for nothing, and names in any case, as Go does', () => {
  const platforms = [
    '{"os":"linux","architecture":"amd64","variant":null}',
    '{"os":"linux","architecture":"amd64","os.version":null,"os.features":null}',
    '{"OS":"linux","Architecture":"amd64","os.features":["x"],"more":1}',
  ]
  for (const text of platforms) assert.equal(platformParameter(query(`platform=${text}`)), 'linux/amd64', text)
})

test('platformParameter() refuses in the words of Docker what is no platform', () => {
  const refused = {
    bogus: "failed to parse platform: invalid character 'b' looking for beginning of value",
    '"linux"': 'failed to parse platform: json: cannot unmarshal string into Go value of type v1.Platform',
    '[]': 'failed to parse platform: json: cannot unmarshal array into Go value of type v1.Platform',
    '{"os":1,"architecture":"amd64"}':
      'failed to parse platform: json: cannot unmarshal number into Go struct field Platform.os of type string',
    '{"os":"linux","architecture":"amd64","os.features":"x"}':
      'failed to parse platform: json: cannot unmarshal string into Go struct field Platform.os.features of type []string',
    '{"os":null,"architecture":"amd64"}': 'both OS and Architecture must be provided',
    '{}': 'both OS and Architecture must be provided',
    null: 'both OS and Architecture must be provided',
    '{"os":"linux"}': 'both OS and Architecture must be provided',
  }
  for (const [text, message] of Object.entries(refused)) {
    assert.throws(() => platformParameter(query(`platform=${text}`)), { kind: 'invalid', message }, text)
  }
})
