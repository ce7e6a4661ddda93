import { invalid, messageOf, unavailable } from '@berth/base'
import type { CopyInstruction } from '@berth/dockerfile'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checkOutGit, isGit } from '../context/git.ts'
import type { StageContext } from './step-context.ts'

/** Whether ADD takes `source` from somewhere else than the context. */
export const isRemote = (source: string): boolean => /^https?:\/\//.test(source) || isGit(source)

/** Brings what `source` names into a new directory, which goes with `stack`. */
export async function fetchSources(
  { build }: StageContext,
  copy: CopyInstruction,
  source: string,
  stack: AsyncDisposableStack,
): Promise<string> {
  const parent = join(build.context.directory, 'tmp')
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const root = await mkdtemp(join(parent, 'remote-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  if (isGit(source)) {
    return await checkOutGit(source, {
      directory: root,
      keepsGitDirectory: copy.keepsGitDirectory,
      signal: build.signal,
    })
  }
  await download(source, { root, checksum: copy.checksum, destination: copy.destination, signal: build.signal })
  return root
}

interface Download {
  readonly root: string
  /** `sha256:...`, '' asks for none. */
  readonly checksum: string
  readonly destination: string
  readonly signal: AbortSignal
}

async function download(url: string, { root, checksum, destination, signal }: Download): Promise<void> {
  const name = basename(new URL(url).pathname) || (destination.endsWith('/') ? '' : basename(destination))
  if (name === '') throw invalid(`cannot determine filename from url: ${url}`)
  const response = await fetch(url, { signal, redirect: 'follow' }).catch((error: unknown) => {
    throw unavailable(`ADD failed: ${url}: ${messageOf(error)}`, error)
  })
  if (!response.ok || !response.body) {
    throw invalid(`ADD failed: failed to GET ${url} with status ${response.status} ${response.statusText}`)
  }
  const path = join(root, name)
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(path, { mode: 0o600 }), { signal })
  requireChecksum(url, checksum, `sha256:${hash.digest('hex')}`)
  const modified = Date.parse(response.headers.get('last-modified') ?? '')
  if (!Number.isNaN(modified)) await utimes(path, modified / 1000, modified / 1000)
}

function requireChecksum(url: string, wanted: string, actual: string): void {
  if (wanted === '' || wanted === actual) return
  throw invalid(`ADD failed: digest mismatch of ${url}: ${actual}, expected ${wanted}`)
}
