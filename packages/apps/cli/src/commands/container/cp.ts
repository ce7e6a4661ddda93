import { isStatus } from '@berth/engine-client'
import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import type { Cli } from '../../cli.ts'
import { defineCommand, exactly } from '../../command.ts'
import {
  type CopyInfo,
  planArchiveCopy,
  rebaseLink,
  splitCopyArgument,
  splitDirectoryEntry,
} from '../../copy/copy-paths.ts'
import { copiedSize, CopyProgress } from '../../copy/copy-progress.ts'
import { packLocal } from '../../copy/local-archive.ts'
import { localDestination, localPath, localSource, requireOutputPath } from '../../copy/local-paths.ts'
import { unpackLocal } from '../../copy/unpack-local.ts'
import { boolean } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tberth cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  summary: 'Copy files/folders between a container and the local filesystem',
  details: `Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  aliases: ['container cp', 'cp'],
  count: exactly(2),
  flags: {
    archive: boolean('a,archive', 'Archive mode (copy all uid/gid information)'),
    followLink: boolean('L,follow-link', 'Always follow symbol link in SRC_PATH'),
    quiet: boolean(
      'q,quiet',
      'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    ),
  },
  async run(cli, { args: [source = '', destination = ''], flags }) {
    if (source === '') throw new Error('source can not be empty')
    if (destination === '') throw new Error('destination can not be empty')
    const [from, to] = [splitCopyArgument(source), splitCopyArgument(destination)]
    const { archive, followLink } = flags
    const options = { archive, followLink, quiet: flags.quiet || !cli.isTerminal(1) }
    if (from.container !== '' && to.container !== '') throw new Error('copying between containers is not supported')
    if (from.container !== '') return await copyOut(cli, { ...from, local: to.path }, options)
    if (to.container !== '') return await copyIn(cli, { ...to, local: from.path }, options)
    throw new Error('must specify at least one container source')
  },
})

interface Ends {
  readonly container: string
  /** In the container. */
  readonly path: string
  readonly local: string
}

interface Options {
  readonly archive: boolean
  readonly followLink: boolean
  readonly quiet: boolean
}

async function copyOut(cli: Cli, ends: Ends, options: Options): Promise<void> {
  const { container } = ends
  const local = ends.local === '-' ? '-' : localPath(ends.local)
  requireOutputPath(local)
  const { path, rebaseName } = options.followLink ? await linkSource(cli, ends) : { path: ends.path, rebaseName: '' }
  const { status, body } = await cli.engine.containers.readArchive(container, path)
  if (local === '-') {
    for await (const chunk of body) cli.out(chunk)
    return
  }
  const source = { path, exists: true, isDirectory: status.isDirectory, rebaseName }
  const progress = options.quiet ? undefined : new CopyProgress(cli, 'Copying from container')
  {
    using _ = progress
    await unpack(progress ? progress.count(body) : body, source, local)
  }
  if (progress) cli.err(`Successfully copied ${copiedSize(progress.sizeBytes)} to ${local}\n`)
}

/** The entries are called after the link's target: first they get the link's name, then the destination's. */
async function unpack(body: AsyncIterable<Buffer>, source: CopyInfo, local: string): Promise<void> {
  const { directory, rename } = planArchiveCopy(source, localDestination(local))
  const { name } = splitDirectoryEntry(source.path)
  const own = source.rebaseName === '' ? undefined : { from: name, to: source.rebaseName }
  await unpackLocal(body, directory, own && rename ? { from: own.from, to: rename.to } : (rename ?? own))
}

async function linkSource(cli: Cli, { container, path }: Ends): Promise<{ path: string; rebaseName: string }> {
  const status = await statusOf(cli, container, path)
  if (!status?.isLink) return { path, rebaseName: '' }
  return rebaseLink(path, inContainer(path, status.linkTarget))
}

/** A link's target as a path in the container. */
function inContainer(link: string, target: string): string {
  return target.startsWith('/') ? target : posix.join(splitDirectoryEntry(link).directory, target)
}

async function copyIn(cli: Cli, ends: Ends, options: Options): Promise<void> {
  const { container } = ends
  const local = ends.local === '-' ? '-' : localPath(ends.local)
  const destination = await containerDestination(cli, ends)
  if (local === '-') {
    if (!destination.isDirectory) throw new Error(`destination "${container}:${ends.path}" must be a directory`)
    return await send(cli, { container, path: destination.path }, options, createReadStream('', { fd: 0 }))
  }
  const source = localSource(local, options.followLink)
  const { directory, rename } = planArchiveCopy(source, destination)
  const progress = options.quiet ? undefined : new CopyProgress(cli, 'Copying to container')
  {
    using _ = progress
    const archive = packLocal(source, rename)
    await send(cli, { container, path: directory }, options, progress ? progress.count(archive) : once(archive))
  }
  if (progress) cli.err(`Successfully copied ${copiedSize(progress.sizeBytes)} to ${container}:${destination.path}\n`)
}

async function* once(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
}

/** An engine that cannot tell is asked no further: what is wrong the copy itself will say. */
async function containerDestination(cli: Cli, { container, path }: Ends): Promise<CopyInfo> {
  const first = await statusOf(cli, container, path)
  const target = first?.isLink ? inContainer(path, first.linkTarget) : path
  const status = first?.isLink ? await statusOf(cli, container, target) : first
  if (status?.isDevice) {
    throw new Error(`destination "${container}:${path}" must be a directory or a regular file: got a device`)
  }
  return { path: target, exists: status !== undefined, isDirectory: status?.isDirectory ?? false, rebaseName: '' }
}

function statusOf(cli: Cli, container: string, path: string) {
  return cli.engine.containers.statPath(container, path).catch((error: unknown) => {
    if (isStatus(error, 404) || isStatus(error, 400) || isStatus(error, 500)) return undefined
    throw error
  })
}

/** A local file that cannot be read ends the request; what the engine makes of that is of no interest. */
async function send(
  cli: Cli,
  { container, path }: { readonly container: string; readonly path: string },
  { archive }: Options,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  const abort = new AbortController()
  let failure: unknown
  const guarded = (async function* () {
    try {
      yield* chunks
    } catch (error) {
      failure = error
      abort.abort(error)
      throw error
    }
  })()
  try {
    await cli.engine.containers.writeArchive(container, path, {
      stream: guarded,
      copyUIDGID: archive,
      signal: abort.signal,
    })
  } catch (error) {
    throw failure ?? error
  }
}
