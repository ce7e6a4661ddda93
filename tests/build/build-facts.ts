import { type EngineApi, readTar, tarEntry, type TarEntry, type TarSource, writeTar } from '@berth/testing'

/** A build: its Dockerfile, and what is in the context beside it. */
export interface BuildCase {
  readonly name: string
  readonly dockerfile: string
  readonly files?: readonly ContextFile[]
  /** Further parameters of `POST /build`. */
  readonly query?: Readonly<Record<string, string>>
  /** The classic builder does not know what is in it. */
  readonly isBuildkit?: boolean
}

export interface ContextFile {
  readonly path: string
  readonly content?: string
  /** Instead of `content`, what is no text. */
  readonly base64?: string
  readonly mode?: number
  readonly link?: string
  readonly isDirectory?: boolean
}

/** What a build came to, without what differs from one time to the next. */
export interface BuildFacts {
  readonly error: string
  readonly tree: readonly string[]
  readonly config: Readonly<Record<string, unknown>>
  readonly history: readonly string[]
  readonly warnings: readonly string[]
}

/** What a builder says of a build. */
export type BuildSaid = Pick<BuildFacts, 'error' | 'warnings'>

/** Builds, and looks at what came of it; leaves nothing behind. */
export async function buildFacts(
  api: EngineApi,
  build: BuildCase,
  run: (build: BuildCase, tag: string) => Promise<BuildSaid> = (one, tag) => runBuild(api, one, tag),
): Promise<BuildFacts> {
  const tag = `berth-build-${process.pid}`
  const { error, warnings } = await run(build, tag)
  if (error !== '') return { error, tree: [], config: {}, history: [], warnings }
  try {
    return { error, warnings, ...(await imageFacts(api, tag)), tree: await treeOf(api, tag) }
  } finally {
    await api.request('DELETE', `/images/${tag}?force=1`)
  }
}

async function runBuild(api: EngineApi, build: BuildCase, tag: string): Promise<BuildSaid> {
  const query = new URLSearchParams({ t: tag, nocache: '1', forcerm: '1', ...build.query })
  const context = await contextTar(build)
  const headers = { 'Content-Type': 'application/x-tar' }
  const { status, text } = await api.request('POST', `/build?${query}`, context, { headers })
  const messages = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [JSON.parse(line) as Message]))
  const failure = messages.find(({ error, message }) => error !== undefined || (status >= 400 && message !== undefined))
  const warnings = messages.flatMap(({ stream }) => (stream?.startsWith('[Warning]') ? [stream.trim()] : []))
  return { error: plainError(failure?.error ?? failure?.message ?? ''), warnings }
}

/** The runtime is called by its name. */
const plainError = (text: string): string =>
  text.replaceAll('crun create failed', 'runc create failed').replace(/\/\S+\/overlay2\/\w+\/merged/, '')

interface Message {
  readonly stream?: string
  readonly error?: string
  readonly message?: string
}

/** The files of a build as a tar. */
export const contextTar = async (build: BuildCase): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(writeTar(contextOf(build))))

const mtime = { seconds: 1_700_000_000, nanoseconds: 0 }

function contextOf({ dockerfile, files = [] }: BuildCase): TarSource[] {
  const all: readonly ContextFile[] = [{ path: 'Dockerfile', content: dockerfile }, ...files]
  return all.map(({ path, content = '', base64, mode, link, isDirectory }) => {
    const common = { path, mtime, ...(mode !== undefined && { mode }) }
    if (link !== undefined) return { entry: tarEntry({ ...common, type: 'symlink', linkPath: link }) }
    if (isDirectory) return { entry: tarEntry({ ...common, path: `${path}/`, type: 'directory' }) }
    const bytes = base64 === undefined ? Buffer.from(content) : Buffer.from(base64, 'base64')
    return { entry: tarEntry({ ...common, sizeBytes: bytes.length }), content: bytes }
  })
}

async function imageFacts(api: EngineApi, tag: string): Promise<Pick<BuildFacts, 'config' | 'history'>> {
  const image = (await api.json('GET', `/images/${tag}/json`)) as { Config: Record<string, unknown> }
  const history = (await api.json('GET', `/images/${tag}/history`)) as { CreatedBy: string; Size: number }[]
  return {
    config: Object.fromEntries(Object.entries(image.Config).filter(([, value]) => !isEmpty(value))),
    history: history
      .filter(({ CreatedBy }) => CreatedBy !== 'berth fixture')
      .map(({ CreatedBy, Size }) => `${plainHistory(CreatedBy)} | ${Size}`),
  }
}

/** Unset, in whichever form an engine says so. */
const isEmpty = (value: unknown): boolean =>
  value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)

/** Engines digest what is copied in ways of their own. */
const plainHistory = (text: string): string => text.replace(/\b(file|dir|multi):[0-9a-f]{64}/g, 'source:DIGEST')

/** What engines put into a container beside the image. */
const engines =
  /^(?:\.dockerenv|dev\/|proc\/|sys\/|dev|proc|sys|etc\/(?:hosts|hostname|resolv\.conf|mtab))$|^(?:dev|proc|sys)\//

async function treeOf(api: EngineApi, tag: string): Promise<string[]> {
  const { Id } = (await api.json('POST', '/containers/create', { Image: tag, Cmd: ['x'] })) as { Id: string }
  try {
    const { body } = await api.open('GET', `/containers/${Id}/export`)
    const lines: string[] = []
    for await (const { entry, content } of readTar(body)) {
      const size = Buffer.concat(await Array.fromAsync(content()))
      if (!engines.test(entry.path.replace(/^\.?\//, ''))) lines.push(describe(entry, size))
    }
    return withoutApplets(lines.toSorted())
  } finally {
    await api.request('DELETE', `/containers/${Id}?force=1&v=1`)
  }
}

/** The fixture's busybox and the links to it are those of whatever release this machine has. */
function withoutApplets(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^bin\/(?:busybox |\S+ symlink 777 0:0 busybox$)/.test(line))
}

function describe(entry: TarEntry, content: Buffer): string {
  const { path, type, linkPath, mode, uid, gid, xattrs } = entry
  const what = type === 'file' ? JSON.stringify(content.subarray(0, 60).toString('latin1')) : linkPath
  const times = type === 'file' && entry.mtime.seconds === mtime.seconds ? ' kept-time' : ''
  const attributes = [...(xattrs?.keys() ?? [])].join(',')
  return `${path.replace(/^\.?\/|\/$/g, '')} ${type} ${mode.toString(8)} ${uid}:${gid} ${what}${times} ${attributes}`.trim()
}
