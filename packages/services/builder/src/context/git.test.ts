import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkOutGit } from './git.ts'

const proxies = { http: '', https: '', no: '*' }

test('checkOutGit() takes from a server of plain files what an address asks for, and nothing but the commit it names', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-git-'))
  const server = servePlainFiles(folder)
  try {
    const head = addRepository(folder)
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`
    const checkOut = async (query: string, commit = ''): Promise<string[]> => {
      const directory = mkdtempSync(join(folder, 'out-'))
      const found = await checkOutGit(url + query, {
        directory,
        keepsGitDirectory: false,
        commit,
        proxies,
        signal: AbortSignal.timeout(30_000),
      })
      return readdirSync(found).toSorted()
    }
    assert.deepEqual(await checkOut(''), ['Dockerfile', 'sub'])
    assert.deepEqual(await checkOut('?branch=main&subdir=sub', head), ['file'])
    assert.deepEqual(await checkOut(`?ref=main&checksum=${head.slice(0, 12)}&keep-git-dir`), [
      '.git',
      'Dockerfile',
      'sub',
    ])
    const other = head.replaceAll(/[0-9a-f]/g, '0')
    const message = `expected checksum to match ${other}, got ${head}`
    await assert.rejects(checkOut(`?ref=main&checksum=${other}`), { message })
    await assert.rejects(checkOut('', other), { message })
  } finally {
    server.close()
    server.closeAllConnections()
    rmSync(folder, { recursive: true })
  }
})

/** A bare repository `app.git`; returns its commit. */
function addRepository(folder: string): string {
  const work = join(folder, 'work')
  mkdirSync(join(work, 'sub'), { recursive: true })
  writeFileSync(join(work, 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(work, 'sub', 'file'), 'x')
  const git = (...args: string[]) => execFileSync('git', ['-C', work, ...args], { encoding: 'utf8' })
  git('init', '--quiet', '--initial-branch=main')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message=a')
  git('clone', '--quiet', '--bare', work, join(folder, 'app.git'))
  git('-C', join(folder, 'app.git'), 'update-server-info')
  return git('rev-parse', 'HEAD').trim()
}

function servePlainFiles(folder: string) {
  const server = createServer((request, response) => {
    const path = join(folder, new URL(request.url ?? '/', 'http://host').pathname)
    if (!existsSync(path)) return void response.writeHead(404).end()
    createReadStream(path).pipe(response)
  })
  return server.listen(0, '127.0.0.1')
}
