import { detectCompression, peek } from '@berth/archive'
import { internal, invalid, messageOf } from '@berth/base'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { FetchOptions, ReceivedContext } from '../builder.ts'
import type { Context } from '../context.ts'
import { checkOutGit } from './git.ts'
import { isGitContext } from './parse-git.ts'
import { makeContextDirectory, openContext, receiveContext } from './receive-context.ts'

/** A Dockerfile that a URL names is not larger. */
const maxDockerfileBytes = 4 << 20

/** Brings a context that is not sent: a git repository, or a tar or a Dockerfile behind a URL. */
export async function fetchContext(context: Context, remote: string, options: FetchOptions): Promise<ReceivedContext> {
  const { signal } = options
  if (isGitContext(remote)) return await fetchGit(context, remote, options)
  if (!/^https?:\/\//.test(remote)) throw invalid(`invalid remote build context: ${JSON.stringify(remote)}`)
  const { body, contentType } = await context.remotes.download(remote, signal).catch((error: unknown) => {
    throw internal(`error downloading remote context ${remote}: ${messageOf(error)}`, error)
  })
  const { head, whole } = await peek(body, tarMagic.end)
  return isText(contentType) || !isArchive(head)
    ? await dockerfileOnly(context, whole)
    : await receiveContext(context, Readable.from(whole, { objectMode: false }), signal)
}

async function fetchGit(
  context: Context,
  remote: string,
  { keepsGitDirectory = false, signal }: FetchOptions,
): Promise<ReceivedContext> {
  const { root, directory } = makeContextDirectory(context)
  try {
    const folder = await checkOutGit(remote, {
      directory,
      keepsGitDirectory,
      proxies: context.remotes.proxies,
      signal,
    })
    return openContext(context, root, folder)
  } catch (error) {
    await rm(root, { recursive: true, force: true })
    throw error
  }
}

const isText = (type: string): boolean => /^text\/plain\b/.test(type)

/** Where a tar says what it is: magic of tar(5). */
const tarMagic = { start: 257, end: 262 }

/** Servers do not know what a Dockerfile is. */
const isArchive = (head: Buffer): boolean =>
  detectCompression(head) !== 'none' || head.toString('latin1', tarMagic.start, tarMagic.end) === 'ustar'

async function dockerfileOnly(context: Context, body: AsyncIterable<Uint8Array>): Promise<ReceivedContext> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxDockerfileBytes) throw invalid(`a Dockerfile may have ${maxDockerfileBytes} bytes`)
    chunks.push(chunk)
  }
  const { root, directory } = makeContextDirectory(context)
  await writeFile(join(directory, 'Dockerfile'), Buffer.concat(chunks))
  return openContext(context, root, directory)
}
