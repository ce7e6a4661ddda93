import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMountText } from './mount-text.ts'

const refusals: readonly (readonly [text: string, message: string])[] = [
  ['target=/x,sourc=x', "unexpected key 'sourc' in 'sourc=x' (did you mean source?)"],
  ['target=/x,foo=1', "unexpected key 'foo' in 'foo=1' (did you mean from?)"],
  ['target=/x,nothing=1', "unexpected key 'nothing' in 'nothing=1'"],
  ['target=/x,reado', "invalid field 'reado' must be a key=value pair"],
  ['target=/x,type=bindd', 'unsupported mount type "bindd" (did you mean bind?)'],
  ['target=/x,type=cache,sharing=shareed', 'unsupported sharing value "shareed" (did you mean shared?)'],
  ['target=/x,type=nothing', 'unsupported mount type "nothing"'],
]

for (const [text, message] of refusals) {
  test(`parseMountText() refuses ${text} in BuildKit's words`, () => {
    assert.throws(() => parseMountText(text), { message })
  })
}
