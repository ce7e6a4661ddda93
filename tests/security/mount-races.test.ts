// CVE-2021-30465, CVE-2025-31133 and kin: a container swaps what others mount, or mount on, in a folder that they share.
import { useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { onHost, tryRun } from './probe.ts'

const engine = useEngine()
const folder = mkdtempSync(join(tmpdir(), 'berth-shared-'))
const [shared, canary] = [join(folder, 'shared'), join(folder, 'canary')]
const secret = 'what-only-the-host-knows'
for (const path of [shared, canary, join(canary, 'pts'), join(canary, 'deep')]) mkdirSync(path)
// A terminal needs it where /dev is the shared folder, and what it leads to.
symlinkSync('pts/ptmx', join(shared, 'ptmx'))
for (const name of ['secret', 'null', 'console', 'deep/secret']) writeFileSync(join(canary, name), secret)
after(() => rmSync(folder, { recursive: true }))

const listed = (): string[] =>
  readdirSync(canary, { recursive: true, withFileTypes: true })
    .map((entry) =>
      entry.isFile() ? `${entry.name} ${readFileSync(join(entry.parentPath, entry.name), 'utf8')}` : entry.name,
    )
    .toSorted()

/** Swaps each of `names` in the shared folder between a directory or file and a link to the host. */
async function startSwapping(swaps: readonly string[]): Promise<string> {
  const loops = swaps.map((swap) => `while :; do ${swap} done &`)
  const body = {
    Image: 'busybox',
    Cmd: ['sh', '-c', `cd /s; ${loops.join('\n')} wait`],
    HostConfig: { Binds: [`${shared}:/s`] },
  }
  const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
  await engine.api.json('POST', `/containers/${Id}/start`)
  return Id
}

const up = '../'.repeat(20)
/** Now and then what is in place is what belongs there, for long enough that a start may get by. */
const pause = 'usleep 30000'
const directory = (name: string, target: string): string =>
  [target, `${up}${target.slice(1)}`]
    .map((to) => `mkdir -p ${name}/deep; ${pause}; rm -rf ${name}; ln -s ${to} ${name}; rm -f ${name};`)
    .join(' ')
const file = (name: string, target: string): string =>
  `: > ${name}; ${pause}; rm -f ${name}; ln -s ${target} ${name}; rm -f ${name}; mkfifo ${name}; rm -f ${name};`

/** Long enough for luck, however busy the machine is. */
const patienceMs = 60_000

/**
 * Starts containers for `forMs`, and on until one has started and one was refused: which of them is a matter of luck,
 * where they reach is not.
 */
async function startMany(forMs: number, body: object): Promise<{ started: number; refused: number }> {
  const before = listed()
  const counts = { started: 0, refused: 0 }
  const worker = async (): Promise<void> => {
    const began = performance.now()
    const isEnough = (ms: number) => ms > patienceMs || (ms > forMs && counts.started > 0 && counts.refused > 0)
    while (!isEnough(performance.now() - began)) {
      const { refusedBy, output } = await tryRun(engine, body)
      counts[refusedBy === 'ran' ? 'started' : 'refused']++
      assert.ok(!output.includes(secret), output)
      assert.deepEqual(listed(), before, 'a file of the host was changed')
    }
  }
  await Promise.all([worker(), worker()])
  assert.ok(counts.started > 0 && counts.refused > 0, `nothing was shown: ${JSON.stringify(counts)}`)
  return counts
}

test('a mount point that is swapped for a link to the host while others mount on it stays inside', async (t) => {
  const id = await startSwapping([directory('a', canary), directory('b', '/')])
  const Binds = [
    `${shared}:/vol`,
    `${join(canary, 'deep')}:/unused:ro`,
    '/usr/share:/vol/a/deep',
    '/usr/share:/vol/b/deep',
  ]
  const Cmd = ['sh', '-c', 'ls /vol/a /vol/b; cat /vol/a/secret /vol/a/deep/secret 2>/dev/null; true']
  const counts = await startMany(3000, { Image: 'busybox', Cmd, HostConfig: { Binds } })
  t.diagnostic(`started ${counts.started}, refused ${counts.refused}`)
  await engine.api.request('DELETE', `/containers/${id}?force=1`)
  if (engine.daemon) assert.doesNotMatch(await onHost(engine, 'cat', '/proc/self/mountinfo'), new RegExp(folder))
})

test('a /dev that is swapped meanwhile brings nothing of the host into the container', async (t) => {
  const swaps = [
    file('null', join(canary, 'null')),
    file('console', join(canary, 'console')),
    directory('pts', join(canary, 'pts')),
  ]
  const id = await startSwapping([...swaps, directory('shm', canary), directory('mqueue', canary)])
  const HostConfig = { Binds: [`${shared}:/dev`, '/dev/pts:/dev/pts'] }
  const script =
    'echo pwned > /dev/null; echo pwned > /dev/shm/x; cat /dev/shm/secret /proc/keys /proc/timer_list /dev/null'
  // what is a FIFO at that moment holds the container itself up; its first process cannot be killed from inside
  const Cmd = ['sh', '-c', `timeout -s KILL 1 sh -c '${script}'; true`]
  for (const Tty of [false, true]) {
    const counts = await startMany(2000, { Image: 'busybox', Cmd, Tty, HostConfig })
    t.diagnostic(`started ${counts.started}, refused ${counts.refused}`)
  }
  await engine.api.request('DELETE', `/containers/${id}?force=1`)
})

test('a part of a volume that is swapped for a link to the host while others mount it stays inside', async (t) => {
  const own = engine.name()
  const swapping = `cd /s; while :; do ${directory('a', canary)} done`
  const body = { Image: 'busybox', Cmd: ['sh', '-c', swapping], HostConfig: { Binds: [`${own}:/s`] } }
  const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
  await engine.api.json('POST', `/containers/${Id}/start`)
  const part = (Subpath: string) => ({ Type: 'volume', Source: own, Target: '/part', VolumeOptions: { Subpath } })
  for (const subpath of ['a', 'a/deep']) {
    const Cmd = ['sh', '-c', 'ls /part; cat /part/secret /part/deep/secret 2>/dev/null; touch /part/pwned; true']
    const counts = await startMany(2000, { Image: 'busybox', Cmd, HostConfig: { Mounts: [part(subpath)] } })
    t.diagnostic(`${subpath}: started ${counts.started}, refused ${counts.refused}`)
  }
  await engine.api.request('DELETE', `/containers/${Id}?force=1`)
  await engine.api.json('DELETE', `/volumes/${own}`)
  if (engine.daemon) assert.doesNotMatch(await onHost(engine, 'cat', '/proc/self/mountinfo'), /\/mounts\//)
})
