// What is written and read back, over bytes of every kind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonFileFormat } from './json-file-decoder.ts'
import { jsonFileEncoder } from './json-file-encoder.ts'
import { numbers } from '../testing/numbers.ts'

const timeNs = 1_795_702_843_393_099_123n
const query = { stdout: true, stderr: true, timestamps: false, details: false, raw: true }

const special = ['"', '\\', '<', '>', '&', '\r', '\t', '\0', '\x1b', '\x7f', '\u2028', '\u2029', 'é', '€', '😀', '\\n']

/** Lines of up to `maxLength` characters, plain stretches between special ones at every distance. */
function lineOf(next: (bound: number) => number, maxLength: number): string {
  let line = ''
  for (let length = next(maxLength); line.length < length;)
    line += next(3) === 0 ? special[next(special.length)] : 'plain text of any length'.slice(0, 1 + next(24))
  return `${line}\n`
}

function decodeAll(bytes: Buffer): string {
  const { output, consumed } = jsonFileFormat.decoder(query).decode(bytes)
  assert.equal(consumed, bytes.length)
  return output.toString()
}

test('a log holds the lines that were written, as JSON and as Docker escapes them', () => {
  const next = numbers(1)
  for (let round = 0; round < 300; round++) {
    const lines = Array.from({ length: 1 + next(20) }, () => lineOf(next, 200))
    const entries = Buffer.from(jsonFileEncoder('stdout').lines(Buffer.from(lines.join('')), timeNs))
    const parsed = entries.toString().trimEnd().split('\n')
    assert.deepEqual(
      parsed.map((entry) => (JSON.parse(entry) as { log: string }).log),
      lines,
    )
    assert.ok([...entries].every((byte) => byte === 10 || (byte >= 0x20 && !'<>&'.includes(String.fromCharCode(byte)))))
    assert.doesNotMatch(entries.toString(), /[\u2028\u2029]/)
    assert.equal(decodeAll(entries), lines.join(''))
  }
})

test('a chunk of newlines only takes as much memory as it must', () => {
  const entries = jsonFileEncoder('stderr').lines(Buffer.alloc(64 * 1024, '\n'), timeNs)
  const one = '{"log":"\\n","stream":"stderr","time":"2026-11-26T14:20:43.393099123Z"}\n'
  assert.equal(entries.toString(), one.repeat(64 * 1024))
})

test('bytes that are no text are written as Go decodes them', () => {
  const next = numbers(2)
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(Array.from({ length: next(100) }, () => next(256)).filter((byte) => byte !== 10))
    const entry = jsonFileEncoder('stdout').lines(Buffer.concat([bytes, Buffer.from('\n')]), timeNs)
    assert.equal((JSON.parse(entry.toString()) as { log: string }).log, `${decodedAsGo(bytes)}\n`)
  }
})

/** TextDecoder gives one replacement for a truncated sequence, Go one for each of its bytes. */
function decodedAsGo(bytes: Buffer): string {
  let text = ''
  for (let position = 0; position < bytes.length;) {
    const lengths = [1, 2, 3, 4].filter((length) => position + length <= bytes.length)
    const valid = lengths.find((length) => isOneCharacter(bytes.subarray(position, position + length)))
    text += valid ? bytes.toString('utf8', position, position + valid) : '\ufffd'
    position += valid ?? 1
  }
  return text
}

function isOneCharacter(bytes: Buffer): boolean {
  const text = bytes.toString('utf8')
  return [...text].length === 1 && Buffer.from(text).equals(bytes)
}

test('entries of other shapes are decoded among plain ones, and streams apart', () => {
  const plain = (stream: 'stdout' | 'stderr', text: string) =>
    jsonFileEncoder(stream)
      .lines(Buffer.from(`${text}\n`), timeNs)
      .toString()
  const withAttrs = jsonFileEncoder('stdout', { a: 'b' }).lines(Buffer.from('attrs\n'), timeNs).toString()
  const reordered = '{"stream":"stdout","time":"2026-11-26T14:20:43Z","log":"other order\\n"}\n'
  const surrogates = '{"log":"\\ud83d\\ude00 \\u00e9\\u20ac\\n","stream":"stdout","time":"2026-11-26T14:20:43Z"}\n'
  const corrupt = '{"log":"cut off\n'
  const bytes = Buffer.from(
    [plain('stdout', 'a'), withAttrs, plain('stderr', 'b'), reordered, corrupt, surrogates, plain('stdout', 'c')].join(
      '',
    ),
  )
  assert.equal(decodeAll(bytes), 'a\nattrs\nb\nother order\n😀 é€\nc\n')
  const framed = jsonFileFormat.decoder({ ...query, stderr: false, raw: false }).decode(bytes).output
  assert.equal(framed.subarray(0, 10).toString('hex'), '0100000000000002610a')
  assert.equal(framed.includes('b\n'), false)
})

test('an entry that is not whole waits for its rest, wherever it is cut', () => {
  const entries = Buffer.from(jsonFileEncoder('stdout').lines(Buffer.from('one "1" <2>\ntwo\n'), timeNs))
  const end = entries.indexOf(10) + 1
  for (let cut = 0; cut < entries.length; cut++) {
    const decoder = jsonFileFormat.decoder(query)
    const first = decoder.decode(Buffer.from(entries.subarray(0, cut)))
    assert.equal(first.consumed, cut < end ? 0 : end)
    const rest = decoder.decode(Buffer.from(entries.subarray(first.consumed)))
    assert.equal(first.output.toString() + rest.output.toString(), 'one "1" <2>\ntwo\n')
  }
})
