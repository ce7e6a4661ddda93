// CVE-2019-5736: a container that reaches the OCI runtime's program by /proc/PID/exe. The test's engine runs copies.
import { useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { loadImage, onHost, tryRun } from './probe.ts'

const programs = ['/usr/bin/crun', '/usr/sbin/runc', '/usr/bin/runc', '/usr/bin/tini', '/usr/bin/catatonit']
  .filter((path) => existsSync(path))
  .map((path) => realpathSync(path))
const copies = new Map<string, string>()

const engine = useEngine({
  prepare(sandbox, folder) {
    for (const program of programs) {
      const copy = join(folder, basename(program))
      copyFileSync(program, copy)
      copies.set(program, copy)
      const { file, args, env } = sandbox.enter(['mount', '--bind', copy, program])
      execFileSync(file, args, { env })
    }
  },
})

const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
const unchanged = (): void => {
  for (const [program, copy] of copies) assert.equal(hash(copy), hash(program), `${program} was changed`)
}

/** Opens whatever program runs, to read and to write, and tries again by the descriptor once it has ended. */
const overwrite = `
  while :; do
    for exe in /proc/[0-9]*/exe; do
      case "$(readlink $exe)" in *busybox) continue;; esac
      (echo pwned >> $exe) 2>/dev/null && echo hit $exe
      (exec 9< $exe && { echo pwned >> /proc/self/fd/9 || { usleep 2000; echo pwned >> /proc/self/fd/9; }; } && echo hit again) 2>/dev/null
    done
  done`

async function exec(id: string, cmd: readonly string[]): Promise<void> {
  const body = { Cmd: cmd, AttachStdout: true }
  const { Id } = (await engine.api.json('POST', `/containers/${id}/exec`, body)) as { Id: string }
  await engine.api.request('POST', `/exec/${Id}/start`, { Detach: true })
}

for (const runtime of ['crun', 'runc']) {
  test(`a container cannot overwrite ${runtime} while it starts programs in it`, async (t) => {
    if (!engine.daemon) return t.skip('another engine’s runtime')
    if (!programs.some((program) => program.endsWith(runtime))) return t.skip(`no ${runtime}`)
    const files = [
      { path: 'again', content: '#!/proc/self/exe\n', mode: 0o755 },
      { path: 'self', link: '/proc/self/exe' },
    ]
    const Image = await loadImage(engine, files)
    const body = { Image, Cmd: ['sh', '-c', overwrite], HostConfig: { Runtime: runtime, Init: false } }
    const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
    await engine.api.json('POST', `/containers/${Id}/start`)
    for (let round = 0; round < 10; round++) {
      for (const cmd of [['/proc/self/exe'], ['/again'], ['/self', 'init'], ['true']]) await exec(Id, cmd)
    }
    for (const Cmd of [['/proc/self/exe'], ['/again'], ['/self', 'init']]) {
      await tryRun(engine, { Image, Cmd, HostConfig: { Runtime: runtime } })
    }
    await engine.api.request('DELETE', `/containers/${Id}?force=1`)
    unchanged()
  })
}

test('the programs that a container sees of the host are read-only', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s programs')
  const script = 'echo pwned > /sbin/docker-init; echo pwned >> /proc/1/exe; readlink /proc/1/exe'
  const { message, output } = await tryRun(engine, {
    Image: 'busybox',
    Cmd: ['sh', '-c', script],
    HostConfig: { Init: true },
  })
  if (/no init program/.test(message)) return t.skip('neither tini nor catatonit')
  assert.match(output, /docker-init: (Read-only file system|Text file busy)/)
  assert.match(output, /^\/sbin\/docker-init$/m)
  unchanged()
  assert.match(await onHost(engine, 'cat', '/proc/self/mountinfo'), /crun|runc/)
})
