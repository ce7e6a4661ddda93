import type { Digest } from '@berth/oci'
import { getXattr, listXattrs, O_PATH, openInRoot, procFd, readlinkat } from '@berth/linux'
import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { isDirectory, kernelName } from '../layers/directory.ts'
import type { IgnoreRules } from '@berth/dockerfile'
import { type SourceSelection, withSources } from './selection.ts'
import type { SelectedSource } from './select-sources.ts'
import { reopenDirectory, type Visited, walk } from './walk.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFLNK, S_IFMT, S_IFREG } = constants

export interface SourcesDigest {
  /** Of names, types, modes, contents and extended attributes, and owners where they are kept; times do not count. */
  readonly digest: Digest
  /** Paths that were selected, sorted. */
  readonly paths: readonly string[]
  /** A directory is among them. */
  readonly isDirectory: boolean
  /** It is the first of them. */
  readonly beginsWithDirectory: boolean
}

const buffer = Buffer.allocUnsafe(256 << 10)

/** The digest of what a selection selects. */
export function digestSources(selection: SourceSelection): SourcesDigest {
  const hash = createHash('sha256')
  const found = withSources(selection, ({ sources, excluded }) => {
    for (const source of sources) digestSource({ hash, excluded, keepsOwner: selection.keepsOwner }, source)
    const areDirectories = sources.map(({ status }) => isDirectory(status))
    return {
      paths: sources.map(({ path }) => path),
      isDirectory: areDirectories.includes(true),
      beginsWithDirectory: areDirectories[0] === true,
    }
  })
  return { digest: `sha256:${hash.digest('hex')}` as Digest, ...found }
}

interface Digesting {
  readonly hash: Hash
  readonly excluded: IgnoreRules
  readonly keepsOwner: boolean
}

function digestSource(digesting: Digesting, source: SelectedSource): void {
  const { hash } = digesting
  line(hash, ['source', source.name, ...describe(source.status, digesting)])
  if (!isDirectory(source.status)) return digestContent(hash, source.fd, source.status.mode)
  const fd = reopenDirectory(source.fd)
  try {
    walk(fd, (visited) => digestEntry(digesting, visited))
  } finally {
    closeSync(fd)
  }
}

function digestEntry(digesting: Digesting, { path, parent, name, status }: Visited): boolean {
  const { hash, excluded } = digesting
  if (excluded.ignores(path)) return excluded.hasExceptions
  line(hash, [path, ...describe(status, digesting)])
  const fd = openInRoot(parent, kernelName(name), { flags: O_PATH | O_NOFOLLOW })
  try {
    if (!isDirectory(status)) digestContent(hash, fd, status.mode)
    for (const xattr of listXattrs(fd))
      line(hash, ['xattr', xattr, (getXattr(fd, xattr) ?? Buffer.alloc(0)).toString('hex')])
  } finally {
    closeSync(fd)
  }
  return true
}

function describe(status: Visited['status'], { keepsOwner }: Digesting): string[] {
  const { mode, uid, gid, rdev } = status
  return [mode.toString(8), keepsOwner ? `${uid}:${gid}` : '', `${rdev.major}:${rdev.minor}`]
}

function digestContent(hash: Hash, fd: number, mode: number): void {
  const type = mode & S_IFMT
  if (type === S_IFLNK) return line(hash, ['to', readlinkat(fd, '').toString()])
  if (type !== S_IFREG) return
  const file = openSync(procFd(fd), O_RDONLY | O_NONBLOCK)
  const content = createHash('sha256')
  try {
    for (;;) {
      const length = readSync(file, buffer, 0, buffer.length, null)
      if (length === 0) break
      content.update(buffer.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
  line(hash, ['content', content.digest('hex')])
}

/** Each part with its length, so that no two lists read the same. */
function line(hash: Hash, parts: readonly string[]): void {
  hash.update(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('') + '\n')
}
