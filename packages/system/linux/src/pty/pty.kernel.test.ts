import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { after, test } from 'node:test'
import { Reaper } from '../process/reaper.ts'
import { spawnProcess } from '../process/spawn.ts'
import { listenConsole, setWindowSize } from './console-socket.ts'
import { PtyStream } from './pty-stream.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-pty-'))
const reaper = new Reaper()
const devNull = openSync('/dev/null', 'r+')
after(() => {
  reaper[Symbol.dispose]()
  closeSync(devNull)
  rmSync(directory, { recursive: true })
})

// Does what a runtime does: a pty, the master sent over the socket, a process on the slave.
const runtime = `
import array, os, pty, socket, sys
master, slave = pty.openpty()
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendmsg([b"/dev/ptmx"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master]))])
os.close(master)
for fd in (0, 1, 2): os.dup2(slave, fd)
os.close(slave)
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv("/bin/sh", ["sh", "-c", sys.argv[2]])
`

async function open(script: string): Promise<{ stream: PtyStream; exit: Promise<{ code: number }> }> {
  const path = join(directory, 'console')
  using console = listenConsole(path)
  const program = join(directory, 'runtime.py')
  writeFileSync(program, runtime)
  const pid = spawnProcess({ path: '/usr/bin/python3', args: [program, path, script], fds: [devNull, devNull, 2] })
  const master = await console.receive()
  return { stream: new PtyStream(master), exit: reaper.exit(pid) }
}

const skip = existsSync('/usr/bin/python3') ? false : 'needs python3'

test('listenConsole() receives a pty; PtyStream ends when the last slave closes', { skip }, async () => {
  const { stream, exit } = await open('echo hello; exit 3')
  const output = text(stream)
  assert.equal((await exit).code, 3)
  assert.equal(await output, 'hello\r\n')
  stream.destroy()
  assert.equal(existsSync(join(directory, 'console')), false)
})

test('PtyStream carries input, and setWindowSize() the size', { skip }, async () => {
  const { stream, exit } = await open('stty -echo; echo ready; read line; echo "$line $(stty size)"')
  const output = text(stream)
  setWindowSize(stream.fd, { rows: 33, columns: 99 })
  stream.write('input\n')
  await exit
  assert.match(await output, /input 33 99\r\n$/)
  stream.destroy()
})

test('PtyStream never blocks the loop on a terminal that is not read, and passes on 1 MB', { skip }, async () => {
  const { stream, exit } = await open('stty raw -echo; echo ready; sleep 0.2; head -c 1000000 | wc -c')
  const output = text(stream)
  await delay(50)
  const started = performance.now()
  const accepted = new Promise((resolve) => stream.write(Buffer.alloc(1_000_000, 'x'), resolve))
  assert.ok(performance.now() - started < 50)
  await accepted
  await exit
  assert.match(await output, /1000000/)
  stream.destroy()
})

test('PtyStream.destroy() closes the master: the process on the slave gets SIGHUP', { skip }, async () => {
  const { stream, exit } = await open('exec sleep 100')
  stream.resume()
  await delay(20)
  stream.destroy()
  assert.equal((await exit).code, 129)
})

test('listenConsole() refuses a path that does not fit in a sockaddr', () => {
  assert.throws(() => listenConsole(`/tmp/${'x'.repeat(120)}`), { syscall: 'bind', code: 'EINVAL' })
})
