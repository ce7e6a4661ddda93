import { invalid, messageOf, unavailable } from '@berth/base'
import type { CopyInstruction } from '@berth/dockerfile'
import { DownloadRefusedError } from '@berth/registry'
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checkOutGit } from '../context/git.ts'
import { isGitSource } from '../context/parse-git.ts'
import { remoteFileName, requireChecksumForm } from './remote-file.ts'
import type { StageContext } from './step-context.ts'

export const isUrl = (source: string): boolean => /^https?:\/\//.test(source)

/** Whether ADD takes `source` from somewhere else than the context. */
export const isRemote = (source: string): boolean => isUrl(source) || isGitSource(source)

/** What was fetched. */
export interface FetchedSource {
  readonly root: string
  /** Of the file below the root that a URL named; a repository is all of it. */
  readonly name: string | undefined
}

/** Brings what `source` names into a new directory, which goes with `stack`. */
export async function fetchSources(
  { build }: StageContext,
  copy: CopyInstruction,
  source: string,
  stack: AsyncDisposableStack,
): Promise<FetchedSource> {
  const parent = join(build.context.directory, 'tmp')
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const root = await mkdtemp(join(parent, 'remote-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  if (isGitSource(source)) {
    const tree = await checkOutGit(source, {
      directory: root,
      keepsGitDirectory: copy.keepsGitDirectory,
      commit: copy.checksum,
      proxies: build.context.remotes.proxies,
      signal: build.signal,
    })
    return { root: tree, name: undefined }
  }
  const { checksum, destination } = copy
  return { root, name: await download(build, source, { root, checksum, destination }) }
}

interface Wanted {
  readonly root: string
  /** `sha256:...`, '' asks for none. */
  readonly checksum: string
  readonly destination: string
}

/** Resolves to the file's name. */
async function download(
  { context, signal, request }: StageContext['build'],
  url: string,
  { root, checksum, destination }: Wanted,
): Promise<string> {
  requireChecksumForm(checksum)
  const name = remoteFileName(url, destination, request.style)
  const { body, modifiedMs } = await context.remotes.download(url, signal).catch((error: unknown) => {
    throw failedDownload(error, url, request.style)
  })
  const path = join(root, name)
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(body, hashing, createWriteStream(path, { mode: 0o600 }), { signal })
  requireChecksum(checksum, `sha256:${hash.digest('hex')}`)
  if (modifiedMs !== undefined) await utimes(path, modifiedMs / 1000, modifiedMs / 1000)
  return name
}

/** In the words of either builder. */
function failedDownload(error: unknown, url: string, style: 'classic' | 'buildkit'): Error {
  const isRefused = error instanceof DownloadRefusedError
  if (style === 'buildkit') {
    const reason = isRefused ? `invalid response status ${error.status}` : messageOf(error)
    const message = `failed to load cache key: ${reason}`
    return isRefused ? invalid(message, error) : unavailable(message, error)
  }
  if (isRefused)
    return invalid(`ADD failed: failed to GET ${url} with status ${error.statusLine}: ${error.text}`, error)
  return unavailable(`ADD failed: ${messageOf(error)}`, error)
}

function requireChecksum(wanted: string, actual: string): void {
  if (wanted === '' || wanted === actual) return
  throw invalid(`digest mismatch ${actual}: ${wanted}`)
}
