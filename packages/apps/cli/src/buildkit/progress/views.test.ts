import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { type StatusResponse, StatusResponseSchema } from '@berth/buildkit-protocol'
import { PlainView } from './plain-view.ts'
import { TerminalView } from './terminal-view.ts'
import { bytesText, lineTime, statusDetail } from './trace.ts'

const escape = '\u001B'
const sequence = new RegExp(`${escape}\\[[^a-zA-Z]*[a-zA-Z]`, 'g')

const at = (seconds: number) => ({ seconds: BigInt(seconds), nanos: 0 })

type Vertex = { digest: string; name: string; started?: number; completed?: number; cached?: boolean; error?: string }

const vertexes = (...some: Vertex[]): StatusResponse =>
  create(StatusResponseSchema, {
    vertexes: some.map(({ started, completed, ...rest }) => ({
      ...rest,
      ...(started !== undefined && { started: at(started) }),
      ...(completed !== undefined && { completed: at(completed) }),
    })),
  })

const log = (vertex: string, text: string, seconds: number): StatusResponse =>
  create(StatusResponseSchema, { logs: [{ vertex, msg: Buffer.from(text), timestamp: at(seconds), stream: 1n }] })

test('PlainView prints a block for a step at a time, and the last words of what failed', () => {
  let said = ''
  const view = new PlainView(
    (text) => (said += text),
    'building',
    () => 10,
  )
  view.take(vertexes({ digest: 'a', name: '[1/2] FROM x', started: 1, completed: 1, cached: true }), '')
  view.take(vertexes({ digest: 'b', name: '[2/2] RUN y', started: 1 }), '')
  view.take(log('b', 'one\ntw', 3), '')
  view.take(log('b', 'o\n', 4), '')
  view.take(vertexes({ digest: 'b', name: '[2/2] RUN y', started: 1, completed: 5, error: 'exit code: 1' }), '')
  view.take(vertexes({ digest: 'c', name: 'other', started: 1, completed: 6, error: 'context canceled' }), 'web')
  view.end()
  assert.equal(
    said,
    '#0 building\n\n#1 [1/2] FROM x\n#1 CACHED\n\n#2 [2/2] RUN y\n#2 2.000 one\n#2 2.000 two\n#2 ERROR: exit code: 1\n' +
      '\n#3 [web] other\n#3 CANCELED\n------\n > [2/2] RUN y:\n2.000 one\n2.000 two\n------\n',
  )
})

function screen(width: number, isColoured: boolean): { view: TerminalView; text: () => string } {
  let said = ''
  const size = () => ({ width, height: 24 })
  const view = new TerminalView({ write: (text) => (said += text), label: 'docker:x', isColoured, size })
  return { view, text: () => said }
}

test('TerminalView keeps to the width, and prints neither colours nor cursor movements of a step’s output', () => {
  const { view, text } = screen(40, false)
  view.take(vertexes({ digest: 'a', name: '[1/2] RUN a-very-long-command-that-does-not-fit 漢字漢字', started: 1 }), '')
  view.take(log('a', 'red \u001B[31mtext\u001B[0m\u001B[2J\u0007\tend\n', 2), '')
  view.end()
  const last = text().slice(text().lastIndexOf('[+]')).split('\u001B[K\n')
  assert.match(last[2] ?? '', /^ => => # red text {4}end$/)
  assert.ok(last.every((line) => line.replaceAll(sequence, '').length <= 40))
  assert.ok(!(text().match(sequence) ?? []).some((one) => one.endsWith('m')))
})

test('TerminalView draws over itself without clearing the screen, and colours what is done', () => {
  const { view, text } = screen(80, true)
  view.take(vertexes({ digest: 'a', name: 'one', started: 1, completed: 2 }), '')
  view.end()
  assert.match(text(), /\[\+\] Building [\d.]+s \(1\/1\) FINISHED +docker:x/)
  assert.match(text(), new RegExp(`${escape}\\[34m => one +1\\.0s${escape}\\[0m`))
  assert.ok(!text().includes('\u001B[2J'))
})

test('statusDetail(), bytesText() and lineTime() write numbers as BuildKit’s clients do', () => {
  const status = { id: 'x', current: 1536, total: 2_000_000, at: 11.5, started: 10, completed: undefined }
  assert.equal(statusDetail(status), ' 1.54kB / 2.00MB 1.5s')
  assert.equal(statusDetail({ ...status, total: 0, completed: 10 }), ' 1.54kB done')
  assert.deepEqual([999, 1000, 2 ** 30].map(bytesText), ['999B', '1.00kB', '1.07GB'])
  assert.deepEqual([1.23456, 12.3456, 123.456].map(lineTime), ['1.235', '12.35', '123.5'])
})
