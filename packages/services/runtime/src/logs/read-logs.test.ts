import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { formatTimeNs, nowNs, parseTimeNs } from '@berth/base'
import type { LogFollow, LogQuery } from '../log-query.ts'
import type { LogTarget } from '../runtime.ts'
import { openLogWriter } from './log-writer.ts'
import { readLogs } from './read-logs.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-read-logs-'))
after(() => rmSync(directory, { recursive: true }))

type FileTarget = Extract<LogTarget, { path: string }>

let logs = 0
function newTarget(more: Partial<FileTarget> = {}): FileTarget {
  const path = join(directory, String(++logs), 'x.log')
  mkdirSync(dirname(path))
  return { driver: 'json-file', path, maxSizeBytes: 0, maxFiles: 1, compress: false, ...more }
}

const all: LogQuery = { stdout: true, stderr: true, timestamps: false, details: false, raw: true }
const noWarning = (fields: object, message: string) => assert.fail(`${message} ${JSON.stringify(fields)}`)

async function read(target: LogTarget, query: Partial<LogQuery> = {}, follow?: LogFollow): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of readLogs(target, { ...all, ...query }, follow)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function write(target: LogTarget, text: string, stream: 1 | 2 = 1): Promise<void> {
  const writer = await openLogWriter(target, noWarning)
  writer?.write(stream, Buffer.from(text))
  await writer?.close()
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `line ${from + n}\n`).join('')

const odd = 'a "q" \\ <b>&\t\x07 é 😀 \u2028\n\nplain\nno newline'

for (const driver of ['json-file', 'local'] as const) {
  test(`readLogs() gives back what was written to ${driver}`, async () => {
    const target = newTarget({ driver })
    await write(target, odd)
    assert.equal(await read(target), odd)
  })

  test(`readLogs() of ${driver} frames entries, and picks streams`, async () => {
    const target = newTarget({ driver })
    await write(target, 'out\n', 1)
    await write(target, 'err\n', 2)
    const frames = '\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n'
    assert.equal(await read(target, { raw: false }), frames)
    assert.equal(await read(target, { stdout: false }), 'err\n')
    assert.equal(await read(target, { stderr: false }), 'out\n')
  })

  test(`readLogs() of ${driver} joins the pieces of a long line`, async () => {
    const target = newTarget({ driver })
    const text = `${'x'.repeat(70000)}\nshort\n${'y'.repeat(16384)}\n`
    await write(target, text)
    assert.equal(await read(target), text)
  })

  test(`readLogs() of ${driver} reads the tail, across rotated and compressed files`, async () => {
    const target = newTarget({ driver, maxSizeBytes: 2000, maxFiles: 50, compress: true })
    await write(target, numbered(200))
    await compressed(target.path)
    assert.equal(await read(target), numbered(200))
    for (const tail of [0, 1, 7, 40, 150, 200, 500]) {
      assert.equal(
        await read(target, { tail }),
        tail === 0 ? '' : numbered(Math.min(tail, 200), Math.max(0, 200 - tail)),
        `tail ${tail}`,
      )
    }
  })

  test(`readLogs() of ${driver} passes over corruption and delivers the rest`, async () => {
    const target = newTarget({ driver })
    await write(target, numbered(3))
    const half = readFileSync(target.path)
    await write(target, numbered(3, 3))
    const whole = readFileSync(target.path)
    const garbage = Buffer.from('{"log":"ga\0\0\0\x10rbage\n\xff\xff', 'latin1')
    writeFileSync(target.path, Buffer.concat([half, garbage, Buffer.from('\n'), whole.subarray(half.length)]))
    assert.equal(await read(target), numbered(6))
    truncateSync(target.path, whole.length - 5)
    assert.match(await read(target), /^line 0\nline 1\nline 2\n/)
  })

  test(`readLogs() of ${driver} follows across rotations and loses no line`, async () => {
    const target = newTarget({ driver, maxSizeBytes: 3000, maxFiles: 400, compress: true })
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const writer = await openLogWriter(target, noWarning)
    const reading = read(target, {}, { signal: new AbortController().signal, ended })
    let written = ''
    for (let batch = 0; batch < 60; batch++) {
      const text = numbered(20, batch * 20)
      writer?.write(1, Buffer.from(text))
      written += text
      if (batch % 7 === 0) await delay(2)
    }
    await writer?.close()
    end()
    assert.equal(await reading, written)
    await compressed(target.path)
  })
}

/** Resolves when the compression of rotated files is done. */
async function compressed(path: string): Promise<void> {
  const busy = () => readdirSync(dirname(path)).some((name) => /\.\d+$|\.next$/.test(name))
  while (busy()) await delay(2)
}

const entry = (text: string, time: string, more = '') =>
  `{"log":"${text}\\n","stream":"stdout",${more}"time":"${time}"}\n`

test('readLogs() shows times with nine digits and attributes escaped, as dockerd does', async () => {
  const target = newTarget()
  const attrs = '"attrs":{"FOO":"bar","a":"x\\u003cy z","z":"1"},'
  writeFileSync(
    target.path,
    entry('one', '2026-11-21T08:10:56.13031676Z', attrs) +
      entry('two', '2026-11-21T08:10:56Z', attrs) +
      entry('three', '2026-11-21T09:10:56.5+01:00') +
      entry('four', '2026-11-21T08:10:56.123456789Z'),
  )
  assert.equal(
    await read(target, { timestamps: true, details: true }),
    '2026-11-21T08:10:56.130316760Z FOO=bar,a=x%3Cy+z,z=1 one\n' +
      '2026-11-21T08:10:56.000000000Z FOO=bar,a=x%3Cy+z,z=1 two\n' +
      '2026-11-21T08:10:56.500000000Z  three\n' +
      '2026-11-21T08:10:56.123456789Z  four\n',
  )
})

test('readLogs() keeps to since and until', async () => {
  const target = newTarget()
  const times = ['08:10:56Z', '08:10:56.1Z', '08:10:56.13Z', '08:11:00Z'].map((time) => `2026-11-21T${time}`)
  writeFileSync(target.path, times.map((time, index) => entry(String(index), time)).join(''))
  const at = (index: number) => parseTimeNs(times[index] ?? '')
  assert.equal(await read(target, { sinceNs: at(1) }), '1\n2\n3\n')
  assert.equal(await read(target, { untilNs: at(1) }), '0\n1\n')
  assert.equal(await read(target, { sinceNs: at(2), untilNs: at(2) }), '2\n')
  assert.equal(await read(target, { tail: 3, untilNs: at(2) }), '1\n2\n')
})

test('readLogs() ends a follow at `until`, and at an abort', async () => {
  const target = newTarget()
  writeFileSync(target.path, entry('now', formatTimeNs(nowNs())))
  const never = new Promise<void>(() => {})
  const soon = { untilNs: nowNs() + 50_000_000n }
  assert.equal(await read(target, soon, { signal: new AbortController().signal, ended: never }), 'now\n')
  assert.equal(await read(target, {}, { signal: AbortSignal.timeout(20), ended: never }), 'now\n')
})

test('readLogs() waits for a log that is not there yet', async () => {
  const target = newTarget()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const reading = read(target, {}, { signal: new AbortController().signal, ended })
  await delay(5)
  await write(target, 'first\n')
  end()
  assert.equal(await reading, 'first\n')
  assert.equal(await read({ ...target, path: join(directory, 'none', 'x.log') }), '')
  assert.equal(await read({ driver: 'none' }), '')
})

test('readLogs() follows a file that is emptied instead of rotated', async () => {
  const target = newTarget()
  await write(target, numbered(5))
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const stream = readLogs(target, all, { signal: new AbortController().signal, ended })[Symbol.asyncIterator]()
  assert.equal((await stream.next()).value?.toString(), numbered(5))
  truncateSync(target.path)
  appendFileSync(target.path, entry('anew', '2026-11-21T08:10:56Z'))
  end()
  assert.equal((await stream.next()).value?.toString(), 'anew\n')
  assert.equal((await stream.next()).done, true)
})

test('readLogs() takes lines longer than what it reads at once', async () => {
  const target = newTarget()
  const long = 'x'.repeat(3 << 20)
  writeFileSync(
    target.path,
    entry(long, '2026-11-21T08:10:56Z') +
      entry('y'.repeat(9 << 20), '2026-11-21T08:10:56Z') +
      entry('end', '2026-11-21T08:10:57Z'),
  )
  const text = await read(target)
  assert.equal(text.length, long.length + 1 + 4)
  assert.ok(text.endsWith('\nend\n'))
})

test('readLogs() decodes the escapes of other writers', async () => {
  const target = newTarget()
  writeFileSync(
    target.path,
    '{"log":"\\ud83d\\ude00\\/\\b\\f\\u00e9\\n","stream":"stderr","time":"2026-11-21T08:10:56Z"}\n' +
      '{"time":"2026-11-21T08:10:56Z", "stream":"stdout", "log":"spaced\\n"}\n' +
      '[]\n"x"\nnull\n{"log":5}\n\n',
  )
  assert.equal(await read(target), '😀/\b\fé\nspaced\n')
})
