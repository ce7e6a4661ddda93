import { invalid } from '@berth/base'
import type { Builder, ReceivedContext } from '@berth/builder'
import { parseIgnoreFile } from '@berth/dockerfile'
import { posix } from 'node:path'
import { receiveFiles, receiveTree, type WantedTree } from '../fsutil/receive-tree.ts'
import type { ReceivedFiles } from '../fsutil/tree-sinks.ts'
import type { Progress } from '../progress/progress.ts'
import type { Session } from '../session/session.ts'
import { openUpload, sessionHost } from '../session/upload.ts'
import type { FrontendRequest } from './decode-attributes.ts'

/** Who gives a build its files. */
export interface FileSources {
  readonly builder: Pick<Builder, 'emptyContext' | 'receiveContext' | 'fetchContext' | 'keptContexts'>
  readonly progress: Progress
  readonly signal: AbortSignal
  /** The session that has a directory of that name. */
  sessionFor(directory: string): Promise<Session>
  /** Where received files belong to. */
  readonly received: AsyncDisposableStack
}

/** Files that have come, and the vertex that clients see of it. */
export interface Loaded {
  readonly tree: ReceivedContext
  readonly vertex: string
}

/** Receives a directory of the client's, or what is wanted of it; resolves to where it lies. */
export async function receiveDirectory(
  sources: FileSources,
  wanted: WantedTree & { readonly title: string; readonly status: string },
): Promise<string> {
  return await sources.progress.vertex(wanted.title).run(async (vertex) => {
    const status = vertex.status(wanted.status)
    const { directory, sentBytes } = await receiveChanged(sources, wanted, status.update)
    status.done(sentBytes)
    return directory
  })
}

/** What is the same as in the client's last build is not sent again; where all is the same, its directory is taken. */
async function receiveChanged(
  sources: FileSources,
  wanted: WantedTree,
  onProgress: (bytes: number) => void,
): Promise<{ readonly directory: string; readonly sentBytes: number }> {
  const { builder, signal, received } = sources
  const session = await sources.sessionFor(wanted.name)
  const key = session.sharedKey === '' ? undefined : `${wanted.name}:${session.sharedKey}`
  await using hold = new AsyncDisposableStack()
  const last = hold.use(key === undefined ? undefined : builder.keptContexts.hold(key))
  await using failed = new AsyncDisposableStack()
  const store = async (records: AsyncIterable<Uint8Array>, storing: AbortSignal): Promise<ReceivedContext> => {
    const tree = failed.use(await builder.emptyContext())
    await tree.fill(records, { base: last?.directory, signal: storing })
    return tree
  }
  const came = await receiveTree(session, wanted, { signal, store, onProgress, known: last?.marks })
  const { stored: tree, sentBytes } = came
  if (!tree) {
    if (!last) throw new Error('nothing was known of a directory of which nothing was stored')
    received.use(hold.move())
    return { directory: last.directory, sentBytes }
  }
  failed.move()
  received.use(key === undefined ? tree : builder.keptContexts.keep(key, tree, came))
  return { directory: tree.directory, sentBytes }
}

/** Receives a few small files of a directory of the client's. */
async function receiveSmall(
  sources: FileSources,
  wanted: WantedTree & { readonly title: string; readonly status: string },
): Promise<{ readonly files: ReceivedFiles; readonly vertex: string }> {
  return await tellSmall(sources, wanted, () => askForSmall(sources, wanted))
}

/** Small files of the client's, and how many bytes they took. */
export interface SmallFiles {
  readonly files: ReceivedFiles
  readonly receivedBytes: number
}

async function askForSmall({ signal, sessionFor }: FileSources, wanted: WantedTree): Promise<SmallFiles> {
  let receivedBytes = 0
  const onProgress = (bytes: number) => void (receivedBytes = bytes)
  const files = await receiveFiles(await sessionFor(wanted.name), wanted, { signal, onProgress })
  return { files, receivedBytes }
}

async function tellSmall(
  { progress }: FileSources,
  { title, status: id }: { readonly title: string; readonly status: string },
  ask: () => Promise<SmallFiles>,
): Promise<{ readonly files: ReceivedFiles; readonly vertex: string }> {
  return await progress.vertex(title).run(async (vertex) => {
    const status = vertex.status(id)
    const { files, receivedBytes } = await ask()
    status.done(receivedBytes)
    return { files, vertex: vertex.digest }
  })
}

/** A context that the client does not have as a directory: a stream of its own, or what a URL names. */
export async function fetchRemote(
  sources: FileSources,
  url: string,
  { keepsGitDirectory = false }: { readonly keepsGitDirectory?: boolean } = {},
): Promise<Loaded> {
  const { builder, progress, signal, received } = sources
  const upload = uploadOf(url)
  return await progress.vertex('[internal] load remote build context').run(async ({ digest }) => {
    const context = upload
      ? await builder.receiveContext(openUpload(await sources.sessionFor(''), upload, signal), signal)
      : await builder.fetchContext(url, { signal, keepsGitDirectory })
    return { tree: received.use(context), vertex: digest }
  })
}

function uploadOf(url: string): URL | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed?.protocol === 'http:' && parsed.hostname === sessionHost ? parsed : undefined
}

/** A Dockerfile, and the files beside it that go with it. */
export interface Definition {
  readonly dockerfile: string
  /** The ignore file of this Dockerfile alone. */
  readonly ignoreFile: string | undefined
  /** With which it came. */
  readonly vertex: string
}

/** Brings the Dockerfile: out of the context where that is a remote one, else from the client. */
export async function loadDefinition(
  sources: FileSources,
  request: Pick<FrontendRequest, 'filename' | 'dockerfileDirectory'>,
  remote: Loaded | undefined,
): Promise<Definition> {
  const { filename } = request
  const isInContext = remote && request.dockerfileDirectory === undefined
  const { read, vertex } = isInContext ? definitionIn(remote) : await receiveDefinition(sources, request)
  const dockerfile = (await read(filename)) ?? (await read(lowerCase(filename)))
  if (dockerfile === undefined) {
    throw invalid(`failed to read dockerfile: open ${posix.basename(filename)}: no such file or directory`)
  }
  return { dockerfile, vertex, ignoreFile: await read(`${filename}.dockerignore`) }
}

interface DefinitionFiles {
  read(path: string): Promise<string | undefined>
  readonly vertex: string
}

const definitionIn = ({ tree, vertex }: Loaded): DefinitionFiles => ({
  read: (path) => tree.read(posix.normalize(path)),
  vertex,
})

async function receiveDefinition(
  sources: FileSources,
  { filename, dockerfileDirectory }: Pick<FrontendRequest, 'filename' | 'dockerfileDirectory'>,
): Promise<DefinitionFiles> {
  const { files, vertex } = await receiveSmall(sources, {
    title: `[internal] load build definition from ${posix.basename(filename)}`,
    status: 'transferring dockerfile:',
    name: dockerfileDirectory ?? 'dockerfile',
    follows: [filename, `${filename}.dockerignore`, ...(filename === 'Dockerfile' ? [lowerCase(filename)] : [])],
  })
  return { read: async (path) => files.read(path), vertex }
}

/** What older clients call it. */
const lowerCase = (filename: string): string =>
  posix.join(posix.dirname(filename), posix.basename(filename).toLowerCase())

/** Asks for a directory's ignore file, which a build most likely needs, before that is known. */
export function askForIgnoreFile(sources: FileSources, name: string): Promise<SmallFiles> {
  const asked = askForSmall(sources, { name, follows: [ignoreFileName] })
  // Whoever needs it has its failure.
  asked.catch(() => {})
  return asked
}

const ignoreFileName = '.dockerignore'

interface IgnoringDirectory {
  readonly name: string
  readonly title: string
  /** The directory's own ignore file, where it was asked for already. */
  readonly asked?: Promise<SmallFiles> | undefined
}

/** The patterns of what the client shall leave out of a directory. */
export async function loadIgnored(
  sources: FileSources,
  directory: IgnoringDirectory,
  ignoreFile?: string,
): Promise<readonly string[]> {
  const text = ignoreFile ?? (await receiveIgnoreFile(sources, directory))
  return text === undefined ? [] : parseIgnoreFile(text).patterns
}

async function receiveIgnoreFile(
  sources: FileSources,
  { name, title, asked = askForIgnoreFile(sources, name) }: IgnoringDirectory,
): Promise<string | undefined> {
  const { files } = await tellSmall(sources, { title, status: 'transferring context:' }, () => asked)
  return files.read(ignoreFileName)
}
