import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTimeNs } from '@berth/base'
import { jsonFileBoundaries, jsonFileEncoder } from './json-file-encoder.ts'

const time = parseTimeNs('2026-11-21T08:10:56.13031676Z') ?? 0n
const encode = (bytes: Buffer, attrs?: Record<string, string>) =>
  jsonFileEncoder('stdout', attrs).lines(bytes, time).toString('utf8')
const bytes = (latin1: string) => Buffer.from(latin1, 'latin1')
const logged = (text: string) => `{"log":"${text}\\n","stream":"stdout","time":"2026-11-21T08:10:56.13031676Z"}\n`

// What dockerd 28.5 wrote for these bytes.
const corpus: [latin1: string, log: string][] = [
  ['plain <b>&amp; "q" \\back', 'plain \\u003cb\\u003e\\u0026amp; \\"q\\" \\\\back'],
  ['ctl \x01\x02\x07\b\t', 'ctl \\u0001\\u0002\\u0007\\u0008\\u0009'],
  ['ff\x0cvt\x0bcr\resc\x1bdel\x7fnul\0x', 'ff\\u000cvt\\u000bcr\\resc\\u001bdel\x7fnul\\u0000x'],
  ['utf8 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80', 'utf8 é € 😀'],
  ['ls \xe2\x80\xa8 ps \xe2\x80\xa9', 'ls \\u2028 ps \\u2029'],
  [
    'bad \xff \xc3 \xe2\x82 \xed\xa0\x80 \xf0\x9f\x98 end',
    'bad \\ufffd \\ufffd \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd end',
  ],
  [
    'overlong \xc0\x80 \xe0\x80\x80 \xf4\x90\x80\x80 \xf8\x80\x80\x80\x80 e',
    'overlong \\ufffd\\ufffd \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd \\ufffd\\ufffd\\ufffd\\ufffd\\ufffd e',
  ],
  ['\xef\xbf\xbd \xef\xbb\xbf bom', '\ufffd \ufeff bom'],
  ['', ''],
]

test("jsonFileEncoder() escapes each line to dockerd's bytes", () => {
  for (const [raw, log] of corpus) assert.equal(encode(bytes(`${raw}\n`)), logged(log))
})

test('jsonFileEncoder() encodes a chunk of lines as it encodes them one by one', () => {
  const chunk = corpus.map(([raw]) => `${raw}\n`).join('')
  assert.equal(encode(bytes(chunk)), corpus.map(([, log]) => logged(log)).join(''))
})

test('jsonFileEncoder() encodes a chunk of lines without backslashes as it encodes them one by one', () => {
  const plain = corpus.filter(([raw]) => !raw.includes('\\'))
  const chunk = plain.map(([raw]) => `${raw}\n`).join('')
  assert.equal(encode(bytes(chunk)), plain.map(([, log]) => logged(log)).join(''))
})

test('jsonFileEncoder() takes dollars in attrs as they are', () => {
  const attrs = { price: '$& $1 $$' }
  assert.equal(encode(bytes('a\nb\n'), attrs), encode(bytes('a\n'), attrs) + encode(bytes('b\n'), attrs))
})

test('jsonFileEncoder() writes attrs sorted and escaped before the time', () => {
  const line = encode(bytes('x\n'), { z: '1', a: 'x<y', 'q"': 'a\nb' })
  const attrs = '"attrs":{"a":"x\\u003cy","q\\"":"a\\nb","z":"1"}'
  assert.equal(line, `{"log":"x\\n","stream":"stdout",${attrs},"time":"2026-11-21T08:10:56.13031676Z"}\n`)
})

test('jsonFileEncoder() ends only the last piece of a line with a newline', () => {
  const encoder = jsonFileEncoder('stderr')
  const first = encoder.piece(bytes('ab'), { ordinal: 1, last: false }, time).toString()
  const last = encoder.piece(bytes(''), { ordinal: 2, last: true }, time).toString()
  assert.equal(first, '{"log":"ab","stream":"stderr","time":"2026-11-21T08:10:56.13031676Z"}\n')
  assert.equal(last, '{"log":"\\n","stream":"stderr","time":"2026-11-21T08:10:56.13031676Z"}\n')
})

test('jsonFileBoundaries finds the ends of entries around a position', () => {
  const entries = bytes('{1}\n{22}\n')
  const { after, before } = jsonFileBoundaries
  assert.deepEqual(
    [0, 1, 4, 5, 9].map((position) => after(entries, position)),
    [4, 4, 4, 9, 9],
  )
  assert.deepEqual(
    [0, 3, 4, 8, 9].map((position) => before(entries, position)),
    [0, 0, 4, 4, 9],
  )
})
