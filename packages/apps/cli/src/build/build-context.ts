import { createReadStream, existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { detectCompression, magicBytes, peek, tarEntry, type TarSource, writeTar } from '@berth/archive'
import { codeOf } from '@berth/base'
import { reasonOf } from '../options/key-values.ts'
import { type IgnoreRules, parseIgnoreFile } from './ignore-file.ts'

/** What is sent to the engine to build from. */
export interface BuildContext {
  /** A tar archive; undefined when the engine fetches `remote` itself. */
  readonly stream?: AsyncIterable<Uint8Array>
  readonly remote?: string
  /** The Dockerfile's path inside. */
  readonly dockerfile: string
}

const usualDockerfile = 'Dockerfile'
const ustarOffset = 257

/** The context of a directory, a URL, or standard input (`-`: an archive or a lone Dockerfile). */
export async function openBuildContext(where: string, dockerfile: string): Promise<BuildContext> {
  if (where === '-' && dockerfile === '-') {
    throw new Error("invalid argument: can't use stdin for both build context and dockerfile")
  }
  if (where === '-') return openInput(dockerfile === '' ? usualDockerfile : dockerfile)
  if (/^(https?:\/\/|git:\/\/|git@|github\.com\/)/.test(where)) {
    return { remote: where, dockerfile: dockerfile === '' ? usualDockerfile : dockerfile }
  }
  return openDirectory(where, dockerfile)
}

async function openInput(dockerfile: string): Promise<BuildContext> {
  const { head, whole: rest } = await peek(createReadStream('', { fd: 0 }), ustarOffset + 'ustar'.length)
  const isArchive =
    head.toString('latin1', ustarOffset, ustarOffset + 5) === 'ustar' ||
    detectCompression(head.subarray(0, magicBytes)) !== 'none'
  if (isArchive) return { stream: rest, dockerfile }
  return { stream: lone(await buffer(rest)), dockerfile: usualDockerfile }
}

async function* lone(content: Buffer): AsyncGenerator<Uint8Array> {
  yield* writeTar([{ entry: tarEntry({ path: usualDockerfile, sizeBytes: content.length }), content }])
}

async function openDirectory(where: string, given: string): Promise<BuildContext> {
  const root = resolve(where)
  if (!statOrThrow(root, where).isDirectory())
    throw new Error(`unable to prepare context: context must be a directory: ${root}`)
  const own = given === '-' ? undefined : locateDockerfile(root, given)
  const inside = own !== undefined && !own.startsWith('..') && !isAbsolute(own)
  if (inside) return { stream: writeTar(members(root, readRules(root, own))), dockerfile: own }
  // A Dockerfile from elsewhere goes along under a name of its own.
  const content = given === '-' ? await buffer(createReadStream('', { fd: 0 })) : readFileSync(resolve(given))
  const name = `.dockerfile.${process.pid}`
  return { stream: writeTar(withFile(members(root, readRules(root, name)), name, content)), dockerfile: name }
}

/** Relative to the root; as docker does, first below the root, then below the current directory. */
function locateDockerfile(root: string, given: string): string {
  const path = given === '' ? join(root, usualDockerfile) : isAbsolute(given) ? given : resolve(given)
  const found = existsSync(path) ? path : join(root, given)
  if (!existsSync(found)) {
    const reason = `lstat ${path}: no such file or directory`
    throw new Error(`unable to prepare context: unable to evaluate symlinks in Dockerfile path: ${reason}`)
  }
  return relative(root, found)
}

function statOrThrow(path: string, given: string): Stats {
  try {
    return lstatSync(`${path}/`)
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new Error(`unable to prepare context: path ${JSON.stringify(given)} not found`, { cause: error })
    throw error
  }
}

/** The Dockerfile and the ignore file themselves always go along. */
function readRules(root: string, dockerfile: string): IgnoreRules {
  try {
    const text = readFileSync(join(root, '.dockerignore'), 'utf8')
    return parseIgnoreFile(`${text}\n!.dockerignore\n!${dockerfile}\n`)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { ignores: () => false, hasExceptions: false }
    throw new Error(`error reading .dockerignore: ${reasonOf(error)}`, { cause: error })
  }
}

/** The files of the context, parents first. Owners are not sent: they mean nothing to the engine. */
export function* members(root: string, rules: IgnoreRules, below = ''): Generator<TarSource> {
  for (const file of readdirSync(join(root, below)).toSorted()) {
    const path = below === '' ? file : `${below}/${file}`
    const stats = lstatSync(join(root, path))
    const ignored = rules.ignores(path)
    const source = ignored ? undefined : member(join(root, path), path, stats)
    if (source !== undefined) yield source
    if (stats.isDirectory() && (!ignored || rules.hasExceptions)) yield* members(root, rules, path)
  }
}

function member(source: string, path: string, stats: Stats): TarSource | undefined {
  const seconds = Math.floor(stats.mtimeMs / 1000)
  const common = { path, mode: stats.mode & 0o7777, mtime: { seconds, nanoseconds: 0 } }
  if (stats.isDirectory()) return { entry: tarEntry({ ...common, type: 'directory' }) }
  if (stats.isSymbolicLink()) return { entry: tarEntry({ ...common, type: 'symlink', linkPath: readlinkSync(source) }) }
  // Sockets and the like cannot be sent.
  if (!stats.isFile()) return undefined
  return { entry: tarEntry({ ...common, sizeBytes: stats.size }), content: createReadStream(source) }
}

function* withFile(sources: Iterable<TarSource>, path: string, content: Buffer): Generator<TarSource> {
  yield* sources
  yield { entry: tarEntry({ path, sizeBytes: content.length }), content }
}
