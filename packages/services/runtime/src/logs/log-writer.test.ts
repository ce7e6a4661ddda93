import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { openLogWriter } from './log-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-log-writer-'))
after(() => rmSync(directory, { recursive: true }))

const noWarning = (fields: object, message: string) => assert.fail(`${message} ${JSON.stringify(fields)}`)

function target(name: string, maxSizeBytes: number, maxFiles: number, compress = false) {
  return { driver: 'json-file', path: join(directory, name), maxSizeBytes, maxFiles, compress } as const
}

const messages = (text: string): string[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { log: string }).log)

test('openLogWriter() rotates before a full file would be written to, and keeps maxFiles', async () => {
  const log = target('rotated.log', 300, 3)
  const writer = await openLogWriter(log, noWarning)
  writer?.write(1, Buffer.from(Array.from({ length: 20 }, (_, n) => `line ${n}\n`).join('')))
  await writer?.close()
  const names = readdirSync(directory).filter((name) => name.startsWith('rotated.log'))
  assert.deepEqual(names.toSorted(), ['rotated.log', 'rotated.log.1', 'rotated.log.2'])
  const kept = ['.2', '.1', ''].flatMap((suffix) => messages(readFileSync(log.path + suffix, 'utf8')))
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, n) => `line ${20 - kept.length + n}\n`),
  )
})

test('openLogWriter() with one file empties it instead', async () => {
  const log = target('single.log', 100, 1)
  const writer = await openLogWriter(log, noWarning)
  writer?.write(1, Buffer.from('one\ntwo\nthree\n'))
  await writer?.close()
  assert.deepEqual(messages(readFileSync(log.path, 'utf8')), ['three\n'])
})

test('openLogWriter() compresses rotated files, with their time in the header', async () => {
  const log = target('packed.log', 200, 4, true)
  const writer = await openLogWriter(log, noWarning)
  writer?.write(2, Buffer.from('one\ntwo\nthree\nfour\nfive\n'))
  await writer?.close()
  const packed = () => readdirSync(directory).filter((name) => /^packed\.log\.\d\.gz$/.test(name))
  for (let turn = 0; packed().length < 1 && turn < 200; turn++) await delay(5)
  while (readdirSync(directory).some((name) => name.endsWith('.next'))) await delay(5)
  const bytes = readFileSync(join(directory, packed()[0] ?? ''))
  assert.match(bytes.toString('latin1', 12, 50), /^\{"lastTime":"\d{4}-/)
  assert.deepEqual(messages(gunzipSync(bytes).toString()).length, 3)
})

test('openLogWriter() takes back half an entry that a crash left', async () => {
  const log = target('torn.log', 0, 1)
  writeFileSync(log.path, '{"log":"a\\n","stream":"stdout","time":"2026-11-21T08:10:56Z"}\n')
  appendFileSync(log.path, '{"log":"ha')
  const writer = await openLogWriter(log, noWarning)
  writer?.write(1, Buffer.from('b\npart'))
  await writer?.close()
  assert.deepEqual(messages(readFileSync(log.path, 'utf8')), ['a\n', 'b\n', 'part'])
})

test('openLogWriter() has nothing to open for the driver none', async () => {
  assert.equal(await openLogWriter({ driver: 'none' }, noWarning), undefined)
})
