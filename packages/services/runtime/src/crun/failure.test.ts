import assert from 'node:assert/strict'
import { test } from 'node:test'
import { execError, startError, startFailureExitCode } from './failure.ts'

const started = 'failed to create task for container: failed to create shim task: OCI runtime create failed'

test("startError() puts crun's refusal of a missing command into Docker's words", () => {
  const error = startError('crun', 'executable file `nosuch` not found in $PATH: No such file or directory', 'nosuch')
  const reason =
    'unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH'
  assert.equal(error.message, `${started}: crun create failed: ${reason}`)
  assert.equal(error.kind, 'invalid')
  assert.equal(startFailureExitCode(error.message), 127)
})

test('startError() names the path of a missing file', () => {
  const error = startError('crun', 'executable file `/x/y` not found in $PATH: No such file or directory', '/x/y')
  assert.match(error.message, /exec: "\/x\/y": stat \/x\/y: no such file or directory$/)
})

test('startError() and execError() say which part of the path is no directory', () => {
  const text = 'open executable: Not a directory'
  const reason =
    /: exec: "\/etc\/passwd\/x": stat \/etc\/passwd\/x: not a directory: Are you trying to mount a directory onto/
  assert.match(startError('crun', text, '/etc/passwd/x').message, reason)
  const { message } = execError(text, '/etc/passwd/x')
  assert.match(message, reason)
  assert.equal(startFailureExitCode(message), 127)
})

test('startError() finds no executable where the command is empty', () => {
  const error = startError('crun', 'open executable: Permission denied', '')
  assert.match(error.message, /exec: "": executable file not found in \$PATH$/)
  assert.equal(startFailureExitCode(error.message), 127)
})

test('startError() says permission denied of what cannot be executed', () => {
  for (const text of ['open executable: Operation not permitted', 'open executable: Permission denied']) {
    const error = startError('crun', text, '/etc')
    assert.match(error.message, /exec: "\/etc": permission denied$/)
    assert.equal(startFailureExitCode(error.message), 126)
  }
})

test("startError() keeps runc's text and calls what is not the user's doing internal", () => {
  const runc = 'runc run failed: unable to start container process: exec: "/n": stat /n: no such file or directory'
  const error = startError('runc', runc, '/n')
  assert.equal(error.message, `${started}: runc create failed: ${runc.slice('runc run failed: '.length)}`)
  const broken = startError('crun', 'mount `proc` to `proc`: Operation not permitted', 'sh')
  assert.deepEqual([broken.kind, startFailureExitCode(broken.message)], ['internal', 128])
})

test("execError() has Docker's prefix", () => {
  const error = execError('executable file `x` not found in $PATH: No such file or directory', 'x')
  const reason = 'exec: "x": executable file not found in $PATH'
  assert.equal(error.message, `OCI runtime exec failed: exec failed: unable to start container process: ${reason}`)
})

test('startError() and execError() speak of a working directory as runc does', () => {
  const text = 'chdir `/nosuch`: No such file or directory'
  const reason = 'chdir to cwd ("/nosuch") set in config.json failed: no such file or directory'
  assert.match(startError('crun', text, 'x').message, new RegExp(`init: ${escape(reason)}$`))
  assert.match(execError(text, 'x').message, new RegExp(`container process: ${escape(reason)}$`))
})

const escape = (text: string): string => text.replace(/[()]/g, String.raw`\$&`)

test('startError() and execError() speak of an AppArmor profile that there is not as runc does', () => {
  const text = 'write file `/proc/thread-self/attr/exec`: No such file or directory'
  const reason =
    'unable to apply apparmor profile: apparmor failed to apply profile: write /proc/thread-self/attr/exec: no such file or directory'
  const opening = 'unable to start container process'
  const start = `${started}: crun create failed: ${opening}: error during container init: ${reason}`
  assert.equal(startError('crun', text, 'true').message, start)
  assert.equal(execError(text, 'true').message, `OCI runtime exec failed: exec failed: ${opening}: ${reason}`)
})
