import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatProcessTable, parseProcess, readProcessTable } from './process-table.ts'
import { parsePsOutput, readTop } from './top.ts'

const bootMs = new Date(2026, 10, 20, 8, 0, 0).getTime()
const context = {
  bootMs,
  nowMs: bootMs + 2 * 86_400_000,
  userName: (uid: number) => (uid === 0 ? 'root' : 'somebody-long'),
}
const line = (rest: string) => `17894 (a) b) ${rest}`
const statFields = (changes: Record<number, number | string>) =>
  Array.from({ length: 50 }, (_, index) => changes[index + 3] ?? 0).join(' ')

test('parseProcess() answers soon whatever arguments a process was given', () => {
  const command = `x${'\0'.repeat(200_000)}y\0`
  const startedMs = performance.now()
  assert.equal(parseProcess('1 (x) S 0', command, 0).args.length, 200_001)
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})

test('parseProcess() takes the name between the outermost parentheses', () => {
  const text = line(statFields({ 3: 'S', 4: 7, 7: 34816, 14: 100, 15: 50, 22: 4200 }))
  assert.deepEqual(parseProcess(text, 'sleep\0-x\0\0', 5), {
    uid: 5,
    pid: 17894,
    parentPid: 7,
    startTicks: 4200,
    cpuTicks: 150,
    tty: 34816,
    state: 'S',
    name: 'a) b',
    args: ['sleep', '-x'],
  })
})

test('formatProcessTable() prints what ps -ef prints', () => {
  const base = {
    uid: 0,
    pid: 5,
    parentPid: 1,
    startTicks: 0,
    cpuTicks: 0,
    tty: 0,
    state: 'S',
    name: 'n',
    args: ['a', 'b\tc'],
  }
  const { Titles, Processes } = formatProcessTable(
    [
      base,
      { ...base, uid: 7, tty: 34819, cpuTicks: 9_000_000, args: [] },
      { ...base, startTicks: 47 * 360_000, state: 'Z', args: [], tty: 1025 },
    ],
    context,
  )
  assert.deepEqual(Titles, ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD'])
  assert.deepEqual(Processes, [
    ['root', '5', '1', '0', 'Nov20', '?', '00:00:00', 'a b?c'],
    ['somebod+', '5', '1', '52', 'Nov20', 'pts/3', '1-01:00:00', '[n]'],
    ['root', '5', '1', '0', '07:00', 'tty1', '00:00:00', '[n] <defunct>'],
  ])
})

test('readProcessTable() leaves out processes that are gone', async () => {
  const { Processes } = await readProcessTable([process.pid, 2 ** 22 + 1])
  assert.deepEqual(
    Processes.map(([, pid]) => pid),
    [String(process.pid)],
  )
})

test('parsePsOutput() keeps the lines of the pids, threads below them, and what is left in the last column', () => {
  const output = 'USER  PID COMMAND\nroot  1 init\nroot  5 sleep  100\nroot  - worker\nroot 6 other\nroot - no\n'
  assert.deepEqual(parsePsOutput(output, new Set([5])), {
    Titles: ['USER', 'PID', 'COMMAND'],
    Processes: [
      ['root', '5', 'sleep 100'],
      ['root', '-', 'worker'],
    ],
  })
})

test('parsePsOutput() needs the column of pids', () => {
  assert.throws(() => parsePsOutput('COMMAND\nsleep\n', new Set([5])), /Couldn't find PID field in ps output/)
})

test('readTop() refuses a column that poses as the pid', async () => {
  await assert.rejects(readTop([1], '-o cmd=PID'), { kind: 'invalid', message: 'specifying "cmd=PID" is not allowed' })
})
