import { codeOf, fault, invalid, messageOf } from '@berth/base'
import { parseIgnoreFile } from '@berth/dockerfile'
import { openInRoot, procFd } from '@berth/linux'
import { randomBytes } from 'node:crypto'
import { closeSync, constants, createWriteStream, fstatSync, mkdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReceivedContext } from '../builder.ts'
import type { Context } from '../context.ts'

/** A Dockerfile, or an ignore file, is not larger. */
const maxFileBytes = 4 << 20

/** Takes a context from a tar, compressed or not, into a directory of its own. */
export async function receiveContext(context: Context, tar: Readable, signal: AbortSignal): Promise<ReceivedContext> {
  await context.storage.space.require('building an image')
  const { root, directory } = makeContextDirectory(context)
  const archive = join(root, 'context.tar')
  try {
    await pipeline(tar, createWriteStream(archive, { mode: 0o600, highWaterMark: 1 << 20 }), { signal })
    fault('build: context received')
    await unpack(context, archive, directory, signal)
    await rm(archive)
  } catch (error) {
    await rm(root, { recursive: true, force: true })
    throw error
  }
  return openContext(context, root, directory)
}

/** A directory for a context, and the one that goes with it in the end. */
export function makeContextDirectory({ directory: base }: Context): { root: string; directory: string } {
  const root = join(base, 'tmp', `context-${randomBytes(8).toString('hex')}`)
  const directory = join(root, 'files')
  mkdirSync(root, { mode: 0o755 })
  mkdirSync(directory, { mode: 0o755 })
  return { root, directory }
}

/** The context in `directory`; `root` is removed with it. */
export function openContext({ storage }: Context, root: string, directory: string): ReceivedContext {
  const { trees } = storage
  return {
    directory,
    read: (path) => readFileIn(directory, path),
    fill: (records, options) => trees.fill(directory, records, options),
    dropIgnored: async (files, text) => {
      const rules = parseIgnoreFile(text)
      for (const file of files.filter((name) => rules.ignores(name))) await removeIn(directory, file)
    },
    [Symbol.asyncDispose]: () => trees.remove([root]),
  }
}

async function unpack({ storage }: Context, source: string, target: string, signal: AbortSignal): Promise<void> {
  try {
    await storage.trees.unpack({ source, target }, signal)
  } catch (error) {
    signal.throwIfAborted()
    throw invalid(`the build context is no tar: ${messageOf(error)}`, error)
  }
}

/** Removes a file, resolved inside of the context; nothing when it is not there. */
async function removeIn(directory: string, path: string): Promise<void> {
  try {
    const parent = openInRoot(directory, dirname(path), { flags: constants.O_RDONLY | constants.O_DIRECTORY })
    try {
      await rm(join(procFd(parent), basename(path)), { force: true })
    } finally {
      closeSync(parent)
    }
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') throw error
  }
}

async function readFileIn(directory: string, path: string): Promise<string | undefined> {
  let place: number
  try {
    place = openInRoot(directory, path.replace(/^\/+/, '') || '.')
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  }
  try {
    const status = fstatSync(place)
    if (!status.isFile()) throw invalid(`${path} of the build context is no file`)
    if (status.size > maxFileBytes) throw invalid(`${path} of the build context is larger than ${maxFileBytes} bytes`)
    await using file = await open(procFd(place), 'r')
    return await file.readFile('utf8')
  } finally {
    closeSync(place)
  }
}
