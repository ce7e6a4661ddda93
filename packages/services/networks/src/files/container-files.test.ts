import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { containerFiles, writeContainerFiles } from './container-files.ts'

test('writeContainerFiles() leaves alone, unread, a resolv.conf that a container has blown up', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-files-'))
  try {
    const files = containerFiles(directory)
    const none = { dns: [], dnsSearch: [], dnsOptions: [], extraHosts: [], addresses: [] }
    const write = () =>
      writeContainerFiles(files, { ...none, hostname: 'h', domainname: '', isHost: false, usesEngineDns: false })
    write()
    // Past what Node can read at once: reading it would fail.
    truncateSync(files.resolvConfPath, 3 * 2 ** 30)
    write()
    assert.equal(statSync(files.resolvConfPath).size, 3 * 2 ** 30)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
