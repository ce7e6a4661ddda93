// Images whose files stand where the engine mounts, reads or writes: nothing of the host is read or changed through them.
import { type FixtureFile, type FixtureImage, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadImage, onHost, type Outcome, tryRun } from './probe.ts'

const engine = useEngine()
const canary = mkdtempSync(join(tmpdir(), 'berth-canary-'))
const secret = 'what-only-the-host-knows'
for (const name of ['hosts', 'hostname', 'resolv.conf', 'passwd', 'group', 'null', 'console']) {
  writeFileSync(join(canary, name), `${secret}:x:0:0::/:/bin/sh\n`)
}
for (const name of ['pts', 'shm', 'mqueue', 'self', 'fs']) mkdirSync(join(canary, name))
after(() => rmSync(canary, { recursive: true }))

const listed = (): string[] =>
  readdirSync(canary, { recursive: true, withFileTypes: true })
    .map((entry) => (entry.isFile() ? `${entry.name} ${readFileSync(join(canary, entry.name), 'utf8')}` : entry.name))
    .toSorted()

/** Writes wherever an engine mounts, and shows what it finds there. */
const vandal = `
  for d in /dev /proc /sys /etc /dev/pts /dev/shm /dev/mqueue . /vol; do (echo pwned > $d/pwned) 2>/dev/null; done
  for f in /etc/hosts /etc/hostname /etc/resolv.conf; do (echo pwned >> $f) 2>/dev/null; done
  (echo pwned > /dev/null) 2>/dev/null
  ls -la /dev /proc /sys . 2>/dev/null; cat /etc/hosts /etc/passwd /dev/null/x ./passwd /vol/passwd 2>/dev/null; true`

interface Trick {
  readonly files?: readonly FixtureFile[]
  readonly config?: Readonly<Record<string, unknown>>
  readonly hostConfig?: Readonly<Record<string, unknown>>
}

async function provoke(trick: Trick, Tty = false): Promise<Outcome> {
  const before = listed()
  const overrides: Partial<FixtureImage> = { config: { Env: ['PATH=/bin'], ...trick.config } }
  const Image = await loadImage(engine, trick.files ?? [], overrides)
  const outcome = await tryRun(engine, {
    Image,
    Cmd: ['/bin/sh', '-c', vandal],
    Tty,
    HostConfig: trick.hostConfig ?? {},
  })
  assert.deepEqual(listed(), before, 'a file of the host was changed')
  assert.ok(!outcome.output.includes(secret), `a file of the host was read: ${outcome.output}`)
  assert.ok(!outcome.message.includes(secret), outcome.message)
  assert.equal(await engine.api.ping(), true)
  return outcome
}

const out = `${'../'.repeat(20)}${canary.slice(1)}`
const links = (path: string, target = ''): Readonly<Record<string, readonly FixtureFile[]>> => ({
  [`/${path}, an absolute link to the host`]: [{ path, link: join(canary, target) }],
  [`/${path}, a link that climbs to the host`]: [{ path, link: join(out, target) }],
})

const places: Readonly<Record<string, readonly FixtureFile[]>> = {
  ...links('dev'),
  ...links('dev/null', 'null'),
  ...links('dev/console', 'console'),
  ...links('dev/pts', 'pts'),
  ...links('dev/shm', 'shm'),
  ...links('dev/mqueue', 'mqueue'),
  ...links('proc'),
  ...links('sys'),
  ...links('sys/fs', 'fs'),
  ...links('etc'),
  ...links('etc/hosts', 'hosts'),
  ...links('etc/hostname', 'hostname'),
  ...links('etc/resolv.conf', 'resolv.conf'),
  ...links('etc/passwd', 'passwd'),
  ...links('etc/group', 'group'),
  '/dev, a link to /proc': [{ path: 'dev', link: '/proc' }],
  '/proc, a link to /dev': [{ path: 'proc', link: 'dev' }],
  '/proc, a file': [{ path: 'proc', content: '' }],
  '/sys, a file': [{ path: 'sys', content: '' }],
  '/etc, a link to /proc/self/fd': [{ path: 'etc', link: '/proc/self/fd' }],
  '/etc/hosts, a directory': [{ path: 'etc/hosts/' }],
  '/etc/hosts, a FIFO': [{ path: 'etc/hosts', node: 'fifo' }],
  '/etc/hosts, a disk': [{ path: 'etc/hosts', node: ['block', 254, 0] }],
}

for (const [what, files] of Object.entries(places)) {
  test(`an image with ${what}: the host is neither read nor written`, async () => {
    await provoke({ files })
    await provoke({ files }, true)
  })
}

const userFiles: Readonly<Record<string, FixtureFile>> = {
  'a FIFO': { path: 'etc/passwd', node: 'fifo' },
  'an endless device': { path: 'etc/passwd', node: ['character', 1, 5] },
  'a disk': { path: 'etc/passwd', node: ['block', 254, 0] },
  'a directory': { path: 'etc/passwd/' },
  'a link to itself': { path: 'etc/passwd', link: 'passwd' },
  'a link to an endless device': { path: 'etc/passwd', link: '/dev/zero' },
  'a link into /proc': { path: 'etc/passwd', link: '/proc/1/environ' },
  'larger than any': { path: 'etc/passwd', content: Buffer.alloc(8 << 20, 'x:x:0:0:\n') },
}

for (const [what, file] of Object.entries(userFiles)) {
  test(`an image whose /etc/passwd is ${what} does not hold the engine up`, async () => {
    const started = performance.now()
    const { refusedBy, message } = await provoke({ files: [file], config: { User: 'somebody' } })
    assert.notEqual(refusedBy, 'ran', 'there is no such user')
    assert.match(message, /passwd|too many levels/i)
    assert.ok(performance.now() - started < 5000)
  })
}

test('a user or group beyond 2^31 - 1, or below 0, is refused and never root', async () => {
  const ids = [
    '2147483648',
    '4294967295',
    '4294967296',
    '-1',
    '1:4294967296',
    '18446744073709551616',
    '1:-1',
    '0x100000000',
  ]
  for (const User of ids) {
    const { refusedBy, message } = await provoke({ config: { User } })
    assert.equal(refusedBy, 'start', `${User}: ${message}`)
    assert.match(message, /must be in range|unable to find/, User)
  }
})

const configs: Readonly<Record<string, Trick>> = {
  'a volume at /proc': { config: { Volumes: { '/proc': {} } } },
  'a volume below /proc': { config: { Volumes: { '/proc/sys/kernel': {} } } },
  'a volume at the root': { config: { Volumes: { '/': {} } } },
  'a volume that climbs': { config: { Volumes: { [`/${out}`]: {} } } },
  'a volume through a link to the host': {
    files: [{ path: 'vol', link: canary }],
    config: { Volumes: { '/vol': {} } },
  },
  'a volume through a link to /proc': { files: [{ path: 'vol', link: '/proc' }], config: { Volumes: { '/vol': {} } } },
  'a working directory through a link to the host': {
    files: [{ path: 'vol', link: canary }],
    config: { WorkingDir: '/vol' },
  },
  'a working directory that climbs': { config: { WorkingDir: `/${out}` } },
  'a working directory of the engine': { config: { WorkingDir: '/proc/1/cwd' } },
  'an entry point that is a directory': { config: { Entrypoint: ['/etc'] } },
  'an entry point of nothing': { config: { Entrypoint: [''] } },
  'an entry point with a NUL': { config: { Entrypoint: ['/bin/sh\0x'] } },
  'a loader to be preloaded': { config: { Env: ['LD_PRELOAD=/evil.so', 'LD_LIBRARY_PATH=/', 'NODE_OPTIONS=--x'] } },
  'variables with line feeds': { config: { Env: ['A=1\nLD_PRELOAD=/evil.so', 'B=\r\n\r\nHTTP'] } },
  'variables with NUL': { config: { Env: ['A=1\0LD_PRELOAD=/evil.so'] } },
  'variables without names': { config: { Env: ['=', '=x', ''] } },
  'hostile labels': { config: { Labels: { __proto__x: 'y', 'a\nb': '\0', 'com.docker/../..': '$(reboot)' } } },
  'a signal that is none': { config: { StopSignal: 'SIG$(reboot)' } },
  'a port that is none': { config: { ExposedPorts: { '99999/tcp': {}, '1-65535/x': {} } } },
  'a health check that is none': { config: { Healthcheck: { Test: ['NONSENSE'], Interval: -5 } } },
}

for (const [what, trick] of Object.entries(configs)) {
  test(`an image configured with ${what} is refused, or harms nobody`, async () => void (await provoke(trick)))
}

const mounts: Readonly<Record<string, Trick>> = {
  'a bind over /proc': { hostConfig: { Binds: ['/tmp:/proc'] } },
  'a bind below /proc': { hostConfig: { Binds: ['/tmp:/proc/sys/kernel'] } },
  'a bind over /proc by a link': {
    files: [{ path: 'vol', link: '/proc' }],
    hostConfig: { Binds: ['/tmp:/vol'] },
  },
  'a bind over /proc/self by a link': {
    files: [{ path: 'vol', link: 'proc/self' }],
    hostConfig: { Binds: ['/tmp:/vol/attr'] },
  },
  'a tmpfs over /proc': { hostConfig: { Tmpfs: { '/proc': '' } } },
  'a tmpfs over /proc by a link': { files: [{ path: 'vol', link: 'proc' }], hostConfig: { Tmpfs: { '/vol': '' } } },
}

for (const [what, trick] of Object.entries(mounts)) {
  test(`${what} is refused`, async () => {
    const { refusedBy, message, output } = await provoke(trick)
    assert.notEqual(refusedBy, 'ran', output)
    assert.match(message, /proc|mount|destination/i)
  })
}

test('a mount through a link of the image stays inside', async () => {
  const files = [{ path: 'vol', link: canary }]
  await provoke({ files, hostConfig: { Tmpfs: { '/vol/new': '' } } })
  await provoke({ files, hostConfig: { Binds: ['/tmp:/vol/new'] } })
})

test('no mount of a hostile image is left on the host', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s mounts')
  const mounts = await onHost(engine, 'cat', '/proc/self/mountinfo')
  assert.ok(!mounts.includes(canary), mounts)
  assert.ok(!mounts.includes('/merged'), mounts)
})
