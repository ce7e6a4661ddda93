import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { sealedCopy } from '../file/sealed-copy.ts'
import { eventfd, pipe, pollFd, waitReadable } from './descriptors.ts'
import { killPid, pidfdOpen, pidfdSendSignal, waitPid } from './process.ts'
import { Reaper } from './reaper.ts'
import { spawnProcess } from './spawn.ts'

const reaper = new Reaper({ sweepMs: 1e6 })
const devNull = openSync('/dev/null', 'r+')
// Neither signals nor polls of unref'd handles keep the loop alive: a daemon has its server for that.
const alive = setInterval(() => {}, 1e6)
after(() => {
  reaper[Symbol.dispose]()
  closeSync(devNull)
  clearInterval(alive)
})

const quiet = [devNull, devNull, devNull]
const shell = (script: string, fds = quiet): number => spawnProcess({ path: '/bin/sh', args: ['-c', script], fds })

test('spawnProcess() gives the child its descriptors, environment, directory and session', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-spawn-'))
  const [read, write] = pipe()
  const pid = spawnProcess({
    path: '/bin/sh',
    args: [
      '-c',
      `echo $X $(pwd) $(cut -d" " -f6 /proc/$$/stat) $$; grep SigIgn /proc/$$/status; ls /proc/$$/fd/${read} /proc/$$/fd/${devNull}`,
    ],
    env: ['X=y', 'PATH=/bin:/usr/bin'],
    fds: [devNull, write, write],
    cwd: directory,
  })
  closeSync(write)
  const output = await text(new Socket({ fd: read }))
  const [facts, ignored, ...descriptors] = output.trim().split('\n')
  assert.equal(facts, `y ${directory} ${pid} ${pid}`)
  assert.equal(ignored, 'SigIgn:\t0000000000000000')
  assert.equal(descriptors.filter((line) => line.includes('No such file')).length, 2)
  assert.equal((await reaper.exit(pid)).signal, 0)
  rmSync(directory, { recursive: true })
})

test('sealedCopy() makes a program that runs, and that its owner cannot write to', async () => {
  const fd = sealedCopy('/bin/true')
  const pid = spawnProcess({ path: `/proc/self/fd/${fd}`, name: 'true', args: [], fds: quiet })
  assert.deepEqual(await reaper.exit(pid), { code: 0, signal: 0, coreDumped: false })
  assert.throws(() => writeSync(fd, 'x', 0), { code: 'EPERM' })
  closeSync(fd)
  assert.throws(() => sealedCopy('/nosuch'), { code: 'ENOENT' })
})

test('spawnProcess() places descriptors that stand in each other’s way', async () => {
  const [readA, writeA] = pipe()
  const [readB, writeB] = pipe()
  // Descriptors 0 to 2 of this process come after their own numbers were taken.
  const fds = [devNull, writeA, writeB, 1, 0, writeA]
  const pid = shell('echo a >&1; echo b >&2; echo c >&5', fds)
  closeSync(writeA)
  closeSync(writeB)
  const outputs = await Promise.all([readA, readB].map((fd) => text(new Socket({ fd }))))
  assert.deepEqual(outputs, ['a\nc\n', 'b\n'])
  await reaper.exit(pid)
})

test('spawnProcess() reports a missing program as the system call does', () => {
  assert.throws(() => spawnProcess({ path: '/nowhere/x', args: [], fds: quiet }), {
    code: 'ENOENT',
    path: '/nowhere/x',
  })
  assert.throws(() => spawnProcess({ path: '/bin/true', args: ['a\0b'], fds: quiet }), { code: 'EINVAL' })
})

test('Reaper.exit() tells code and signal of every one of 300 children, beside those of node:child_process', async () => {
  const ours = Array.from({ length: 300 }, (_, index) => {
    const pid = index % 3 === 0 ? shell('kill -TERM $$') : shell(`exit ${index % 100}`)
    return reaper.exit(pid).then(({ code }) => code)
  })
  const nodes = Array.from({ length: 20 }, async (_, index) => {
    const [code] = (await once(spawn('/bin/sh', ['-c', `exit ${index}`]), 'exit')) as [number]
    return code
  })
  assert.deepEqual(
    await Promise.all(ours),
    ours.map((_, index) => (index % 3 === 0 ? 143 : index % 100)),
  )
  assert.deepEqual(
    await Promise.all(nodes),
    nodes.map((_, index) => index),
  )
})

test('Reaper.exit() waits for a grandchild whose parent is still there', async () => {
  const [read, write] = pipe()
  const pid = spawnProcess({
    path: '/bin/sh',
    // Not before the shell has become sleep: dash reaps what ends earlier.
    args: ['-c', '(sleep 0.1; exit 7) & echo $!; exec sleep 0.3'],
    fds: [devNull, write, devNull],
  })
  closeSync(write)
  const grandchild = Number((await text(new Socket({ fd: read }))).trim())
  // Its parent execs sleep, which reaps nobody: the orphan comes to the subreaper.
  const status = reaper.exit(grandchild)
  await reaper.exit(pid)
  assert.equal((await status).code, 7)
})

test('Reaper.sweepOrphans() reaps a zombie that nobody claimed during a period, not before', async () => {
  const pid = shell('exit 3')
  const pidfd = pidfdOpen(pid)
  await waitReadable(pidfd)
  closeSync(pidfd)
  reaper.sweepOrphans()
  assert.equal(killPid(pid, 0), true)
  assert.ok(reaper.sweepOrphans() >= 1)
  assert.equal(waitPid(pid), 'none')
})

test('pidfdSendSignal() reaches the process and says when it is gone', async () => {
  const pid = shell('exec sleep 100')
  const pidfd = pidfdOpen(pid)
  assert.equal(waitPid(pid), 'running')
  assert.equal(pidfdSendSignal(pidfd, 9), true)
  assert.deepEqual(await reaper.exit(pid), { code: 137, signal: 9, coreDumped: false })
  assert.equal(pidfdSendSignal(pidfd, 9), false)
  assert.equal(killPid(pid, 0), false)
  closeSync(pidfd)
})

test('killPid() never signals everyone', () => {
  assert.throws(() => killPid(-1, 9), RangeError)
  assert.throws(() => killPid(0, 9), RangeError)
})

test('pollFd() calls back for an eventfd until it is closed', async () => {
  const fd = eventfd()
  const { promise, resolve } = Promise.withResolvers<void>()
  const poll = pollFd(fd, { readable: true }, () => {
    poll.close()
    resolve()
  })
  writeSync(fd, new BigUint64Array([1n]))
  await promise
  closeSync(fd)
})

test('waitReadable() stops waiting when aborted', async () => {
  const fd = eventfd()
  await assert.rejects(waitReadable(fd, AbortSignal.timeout(5)), { name: 'TimeoutError' })
  closeSync(fd)
})

test('closeOnExec() keeps what a process was started with from its children', () => {
  const load = `const { closeOnExec } = await import('${new URL('./descriptors.ts', import.meta.url).href}')`
  const list = `(await import('node:child_process')).execFileSync('ls', ['/proc/self/fd'], { encoding: 'utf8' })`
  const script = `${load}; const before = ${list}; closeOnExec(); console.log(JSON.stringify([before, ${list}]))`
  // Node itself does it for the lowest ones only.
  const stdio = ['ignore', 'pipe', 'inherit', ...Array.from({ length: 97 }, () => 'ignore' as const), devNull] as const
  const args = ['--input-type=module', '-e', script]
  const printed = execFileSync(process.execPath, args, { stdio: [...stdio], encoding: 'utf8' })
  const [before, after] = JSON.parse(printed) as [string, string]
  assert.match(before, /^100$/m)
  assert.equal(after, '0\n1\n2\n3\n')
})
