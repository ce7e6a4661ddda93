// A container that swaps files for links, devices and FIFOs while the engine walks its tree: nothing of the host comes out.
import { useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, test } from 'node:test'

const engine = useEngine()
const canary = mkdtempSync(join(tmpdir(), 'berth-canary-'))
const secret = 'what-only-the-host-knows'
writeFileSync(join(canary, 'secret'), secret)
mkdirSync(join(canary, 'deep'))
writeFileSync(join(canary, 'deep/secret'), secret)
writeFileSync(join(canary, 'passwd'), `somebody:x:0:0:${secret}:/:/bin/sh\n`)
after(() => rmSync(canary, { recursive: true }))

const up = '../'.repeat(30)
const swap = (name: string, target: string): string => `
  while :; do
    mkdir -p /race/${name}.d/deep; echo inside > /race/${name}.d/secret; echo inside > /race/${name}.d/deep/secret
    mv -T /race/${name}.d /race/${name}; rm -rf /race/${name}
    ln -s ${target} /race/${name}; rm -f /race/${name}
    echo inside > /race/${name}; rm -f /race/${name}; mkfifo /race/${name}; rm -f /race/${name}
    mknod /race/${name} c 1 5; rm -f /race/${name}
  done &`

const start = async (script: string): Promise<string> => {
  const body = { Image: 'busybox', Cmd: ['sh', '-c', `mkdir -p /race; ${script} wait`] }
  const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
  await engine.api.json('POST', `/containers/${Id}/start`)
  return Id
}

/** Asks again and again for `forMs`, each time whole; returns how often. */
async function repeat(forMs: number, work: () => Promise<unknown>): Promise<number> {
  const end = performance.now() + forMs
  let count = 0
  for (; performance.now() < end; count++) await work()
  return count
}

async function download(path: string): Promise<Buffer> {
  const { status, body } = await engine.api.open('GET', path, undefined, { signal: AbortSignal.timeout(20_000) })
  const bytes = await buffer(body).catch((error: Error) => Buffer.from(error.message))
  assert.ok(status === 200 || status === 404, `${path}: ${status} ${bytes.subarray(0, 500)}`)
  return bytes
}

test('diff, size, export and commit of a tree that is swapped meanwhile end, and bring nothing of the host', async (t) => {
  const id = await start(swap('a', canary) + swap('b', `${up}${canary.slice(1)}`) + swap('c', '/proc/self/root/etc'))
  const shadow = readFileSync('/etc/shadow', 'latin1').split('\n', 1)[0] ?? ''
  const clean = (bytes: Buffer): void => {
    assert.equal(bytes.includes(secret), false, 'the canary')
    assert.equal(bytes.includes(shadow), false, '/etc/shadow')
  }
  const images: string[] = []
  const counts = await Promise.all([
    repeat(3000, async () => clean(await download(`/containers/${id}/changes`))),
    repeat(3000, async () => clean(await download(`/containers/${id}/export`))),
    repeat(3000, () => engine.api.json('GET', `/containers/${id}/json?size=1`)),
    repeat(3000, async () => {
      const answer = await engine.api.request('POST', `/commit?container=${id}&pause=0`)
      assert.equal(answer.status, 201, answer.text)
      images.push((JSON.parse(answer.text) as { Id: string }).Id)
    }),
  ])
  t.diagnostic(`diffs, exports, inspections, commits: ${counts.join(', ')}`)
  for (const image of images.slice(0, 10)) clean(await download(`/images/${image}/get`))
  await engine.api.request('DELETE', `/containers/${id}?force=1`)
  for (const image of images) await engine.api.request('DELETE', `/images/${image}?force=1`)
  assert.deepEqual(readdirSync(canary).toSorted(), ['deep', 'passwd', 'secret'])
  assert.equal(readFileSync(join(canary, 'secret'), 'utf8'), secret)
})

test('the user of an exec comes from the container’s own files, whatever they are swapped for', async () => {
  const targets = [join(canary, 'passwd'), `${up}${canary.slice(1)}/passwd`, '/proc/1/root/etc/passwd', '/dev/zero']
  const own = 'echo somebody:x:1000:1000::/:/bin/sh > /etc/passwd'
  const swaps = targets.map(
    (target) => `${own}; ${own}; rm -f /etc/passwd; ln -s ${target} /etc/passwd; rm -f /etc/passwd;`,
  )
  const id = await start(`while :; do ${swaps.join('')} mkfifo /etc/passwd; rm -f /etc/passwd; done &`)
  const outcomes = new Set<string>()
  await repeat(2000, async () => {
    const wanted = {
      Cmd: ['awk', '/^Uid/{print $2}', '/proc/self/status'],
      User: 'somebody',
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    }
    const created = await engine.api.request('POST', `/containers/${id}/exec`, wanted)
    if (created.status !== 201) return outcomes.add(created.text)
    const { Id } = JSON.parse(created.text) as { Id: string }
    outcomes.add((await engine.api.request('POST', `/exec/${Id}/start`, { Tty: true })).text.trim())
  })
  assert.ok(outcomes.has('1000'), [...outcomes].join())
  for (const outcome of outcomes)
    assert.match(outcome, /^1000$|unable to find user|regular file|cannot be opened|larger than/)
  await engine.api.request('DELETE', `/containers/${id}?force=1`)
})

test('an exec in a container that ends at that moment runs nowhere', async () => {
  for (let round = 0; round < 20; round++) {
    const id = await start('usleep 20000;')
    const wanted = { Cmd: ['sh', '-c', 'hostname'], AttachStdout: true, AttachStderr: true }
    const created = await engine.api.request('POST', `/containers/${id}/exec`, wanted)
    if (created.status === 201) {
      const { Id } = JSON.parse(created.text) as { Id: string }
      const { text } = await engine.api.request('POST', `/exec/${Id}/start`, { Detach: false })
      const ran = /[0-9a-f]{12}\n$/.exec(text)?.[0].trim()
      assert.ok(ran === undefined || id.startsWith(ran), text)
    }
    await engine.api.request('DELETE', `/containers/${id}?force=1`)
  }
})
