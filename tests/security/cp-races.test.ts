// A container that swaps directories, files and mount points for links while files are copied: the host stays as it is.
import { packTar, readTar, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

const engine = useEngine()
const secret = 'what-only-the-host-knows'
const up = '../'.repeat(30)
/** Copies in all, half each way; BERTH_COPY_ROUNDS makes more of them. */
const copies = Number(process.env['BERTH_COPY_ROUNDS'] ?? 300)

describe('copies race with links', () => {
  let canary: string
  let untouchedTree: string

  before(() => {
    canary = mkdtempSync(join(tmpdir(), 'berth-canary-'))
    mkdirSync(join(canary, 'deep'))
    for (const name of ['f', 'deep/f']) writeFileSync(join(canary, name), secret)
    untouchedTree = snapshot()
  })
  after(() => rmSync(canary, { recursive: true }))

  /** Every name, size, mode, owner and content below the canary. */
  function snapshot(): string {
    return String(
      execFileSync('sh', ['-c', 'find . -printf "%p %s %m %u %g\\n" | sort; find . -type f | sort | xargs cat'], {
        cwd: canary,
      }),
    )
  }

  const untouched = (): void => {
    assert.equal(snapshot(), untouchedTree)
    assert.deepEqual(readdirSync(canary).toSorted(), ['deep', 'f'])
    assert.equal(readFileSync(join(canary, 'f'), 'utf8'), secret)
    assert.ok(statSync(canary).isDirectory())
  }

  const start = async (script: string, HostConfig: object = {}): Promise<string> => {
    const body = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig }
    const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
    await engine.api.json('POST', `/containers/${Id}/start`)
    return Id
  }
  const at = (id: string, path: string) => `/containers/${id}/archive?path=${encodeURIComponent(path)}`
  const headers = { 'Content-Type': 'application/x-tar' }

  /** Swaps `/r/d` between a directory and links to the canary, as fast as a shell can. */
  const swapper = (targets: readonly string[]): string => `
    mkdir -p /r/real/deep; echo inside > /r/real/f; echo inside > /r/real/deep/f
    ${targets.map((target, i) => `ln -s ${target} /r/l${i}`).join('; ')}
    while :; do ${targets
      .map((_, i) => `mv -T /r/real /r/d; mv -T /r/d /r/real; mv -T /r/l${i} /r/d; mv -T /r/d /r/l${i};`)
      .join(' ')}
    done`

  /** All contents of an archive; a torn or refused one counts as nothing. */
  async function read(id: string, path: string): Promise<string> {
    const { status, body } = await engine.api.open('GET', at(id, path))
    if (status !== 200) {
      const refusal = Buffer.concat(await Array.fromAsync(body)).toString()
      assert.ok([400, 404, 409].includes(status), `${path}: ${status} ${refusal}`)
      return ''
    }
    const parts: Buffer[] = []
    try {
      for await (const { content } of readTar(body)) parts.push(...(await Array.fromAsync(content())))
    } catch (error) {
      assert.match(String(error), /aborted|end of the archive|ECONNRESET/)
    }
    return Buffer.concat(parts).toString()
  }

  test(`${copies} copies through a path that is swapped for links to the host`, { timeout: 900_000 }, async (t) => {
    const id = await start(swapper([canary, `${up}${canary.slice(1)}`, '/proc/self/root', '/proc/1/cwd']))
    const shadow = readFileSync('/etc/shadow', 'latin1').split('\n', 1)[0] ?? ''
    const outcomes = new Map<string, number>()
    const count = (what: string) => outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
    const tar = packTar([
      { path: 'f', content: 'written' },
      { path: 'deep/f', content: 'written' },
      { path: 'new', content: 'x' },
    ])
    const workers = Array.from({ length: 4 }, async (_, worker) => {
      for (let i = worker; i < copies; i += 4) {
        if (i % 2 === 0) {
          const { status, text } = await engine.api.request('PUT', at(id, i % 4 === 0 ? '/r/d' : '/r/d/deep'), tar, {
            headers,
          })
          assert.ok([200, 400, 404, 409].includes(status), text)
          count(`in ${status}`)
          continue
        }
        const path = ['/r/d', '/r/d/', '/r/d/f', '/r/d/deep'][(i >> 1) % 4] ?? ''
        const content = await read(id, path)
        assert.equal(content.includes(secret), false, 'the canary came out')
        assert.equal(content.includes(shadow), false, '/etc/shadow came out')
        count(content.includes('inside') || content.includes('written') ? 'out with content' : 'out without')
      }
    })
    await Promise.all(workers)
    t.diagnostic([...outcomes].map(([what, n]) => `${what}: ${n}`).join(', '))
    assert.ok((outcomes.get('in 200') ?? 0) > 0 && (outcomes.get('out with content') ?? 0) > 0)
    await engine.api.request('DELETE', `/containers/${id}?force=1`)
    untouched()
  })

  test('the mount point of a volume that is swapped for links is mounted inside, or not at all', async (t) => {
    const volume = engine.name()
    const id = await start(
      `while :; do rm -rf /m; mkdir -p /m/v; rm -rf /m; ln -s ${canary} /m; rm /m; mkdir /m; ln -s ${up}${canary.slice(1)} /m/v; done`,
      { Binds: [`${volume}:/data`] },
    )
    // A container of its own whose volume lies below what the other one swaps, by a shared volume.
    const shared = engine.name()
    const swapping = await start(
      `cd /s; while :; do rm -rf m; mkdir -p m/v; usleep 20000; rm -rf m; ln -s ${canary} m; rm m; mkdir m; ln -s ${up}${canary.slice(1)} m/v; done`,
      { Binds: [`${shared}:/s`] },
    )
    const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { Binds: [`${shared}:/s`, `${volume}:/s/m/v`] } }
    const { Id: victim } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
    const tar = packTar([{ path: 'f', content: 'written' }])
    const counts = { written: 0, refused: 0, read: 0 }
    for (let i = 0; i < 300 || (Math.min(...Object.values(counts)) === 0 && i < 3000); i++) {
      const { status, text } = await engine.api.request('PUT', at(victim, '/s/m/v'), tar, { headers })
      assert.ok([200, 400, 404, 409].includes(status), text)
      counts[status === 200 ? 'written' : 'refused']++
      const content = await read(victim, '/s')
      assert.equal(content.includes(secret), false)
      if (content.includes('written')) counts.read++
    }
    t.diagnostic(JSON.stringify(counts))
    assert.ok(Math.min(...Object.values(counts)) > 0, JSON.stringify(counts))
    for (const container of [id, swapping, victim])
      await engine.api.request('DELETE', `/containers/${container}?force=1`)
    for (const name of [volume, shared]) await engine.api.request('DELETE', `/volumes/${name}`)
    untouched()
  })

  test('no program or library of the image runs on the host’s side', async () => {
    const marker = join(canary, 'ran')
    const evil = `#!/bin/sh\\ntouch ${marker}\\n`
    const id = await start(
      `for p in xz unpigz pigz gzip bzip2 tar unzstd; do printf '${evil}' > /bin/$p.evil; chmod 755 /bin/$p.evil; mv /bin/$p.evil /bin/$p; done
      mkdir -p /lib/x86_64-linux-gnu /etc; for l in libnss_files.so.2 libnss_compat.so.2; do printf '${evil}' > /lib/x86_64-linux-gnu/$l; done
      echo "passwd: evil files" > /etc/nsswitch.conf; touch /ready; exec sleep 1000`,
    )
    while ((await engine.api.request('HEAD', at(id, '/ready'))).status !== 200);
    const tar = packTar([{ path: 'f', content: 'x' }])
    for (const compress of ['xz', 'bzip2', 'gzip']) {
      const { status, text } = await engine.api.request(
        'PUT',
        `${at(id, '/tmp')}&copyUIDGID=1`,
        execFileSync(compress, { input: tar }),
        { headers },
      )
      assert.equal(status, 200, text)
    }
    await read(id, '/tmp')
    await engine.api.request('DELETE', `/containers/${id}?force=1`)
    untouched()
  })

  test('a device, FIFO or socket in the way is neither opened nor waited for', async () => {
    const id = await start(
      'mkdir /n; cd /n; mknod zero c 1 5; mknod disk b 8 0; mkfifo pipe; ln -s pipe to-pipe; (nc -lk -s 127.0.0.1 -p 1 &) ; touch /ready; exec sleep 1000',
    )
    while ((await engine.api.request('HEAD', at(id, '/ready'))).status !== 200);
    const types: string[] = []
    const { body } = await engine.api.open('GET', at(id, '/n'))
    for await (const { entry } of readTar(body)) types.push(`${entry.path} ${entry.type} ${entry.sizeBytes}`)
    assert.deepEqual(types, [
      'n/ directory 0',
      'n/disk block 0',
      'n/pipe fifo 0',
      'n/to-pipe symlink 0',
      'n/zero character 0',
    ])
    const tar = packTar([
      { path: 'zero', content: 'a file now' },
      { path: 'pipe', content: 'a file now' },
    ])
    assert.equal((await engine.api.request('PUT', at(id, '/n'), tar, { headers })).status, 200)
    assert.equal(await read(id, '/n/zero'), 'a file now')
    await engine.api.request('DELETE', `/containers/${id}?force=1`)
  })
})
