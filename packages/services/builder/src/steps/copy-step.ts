import { invalid, notFound } from '@berth/base'
import { type CopyInstruction, expandWord, locate } from '@berth/dockerfile'
import type { SourceSelection } from '@berth/storage'
import { parseModeChange } from '@berth/storage'
import type { Digest } from '@berth/oci'
import { posix } from 'node:path'
import { isGitSource } from '../context/parse-git.ts'
import { changeFileSystem, type Writable } from '../exec/writable.ts'
import { chainOf } from '../filesystem.ts'
import { digestOf, type StageState } from '../stages/stage-state.ts'
import { resolveOwner } from './owner.ts'
import { explainingDirectory } from './explain-directory.ts'
import { finishStep } from './finish-step.ts'
import { writeInlineFiles } from './inline-files.ts'
import { fetchSources, isRemote, isUrl } from './remote-sources.ts'
import { solveStep, takeDefined } from './solve-step.ts'
import type { PlannedStep, StageContext } from './step-context.ts'

/** One tree that is copied from. */
interface CopySource {
  readonly selection: SourceSelection
  /** Its content counts, by this. */
  readonly digest: string
  readonly isDirectory: boolean
  /** Of files and directories. */
  readonly count: number
  /** What is copied first makes the destination a directory. */
  readonly beginsWithDirectory: boolean
  /** Unpacked rather than copied. */
  readonly isArchive: boolean
}

/** COPY and ADD: by the content that they bring in; what they write becomes a layer. */
export async function copyStep(
  stage: StageContext,
  planned: PlannedStep,
  instruction: CopyInstruction,
): Promise<StageState> {
  const { state } = planned
  const { build } = stage
  const copy = expandCopy(stage, state, instruction)
  const takesFromStages = copy.from !== ''
  const describe = (digest: Digest) =>
    build.words.copy({ ...copy, line: instruction.line }, { isDirectory: false, digest })
  const known = takesFromStages ? await takeDefined(stage, planned, describe) : undefined
  if (known) return known
  await using stack = new AsyncDisposableStack()
  const sources = await findSources(stage, copy, stack)
  if (build.request.style === 'buildkit') build.progress({ kind: 'started', step: planned.step })
  const destination = absolute(copy.destination, state.draft.config.WorkingDir)
  const mode = copy.chmod === '' ? undefined : requireMode(copy.chmod)
  const key = digestOf(
    instruction.kind,
    chainOf(state.fileSystem) ?? '',
    destination,
    copy.chown,
    copy.chmod,
    String(copy.keepsParents),
    ...sources.flatMap(({ digest, isArchive }) => [digest, String(isArchive)]),
  )
  const write = () =>
    changeFileSystem(build.context, state.fileSystem, async (writable) => {
      const owner = copy.chown === '' ? undefined : resolveOwner(copy.chown, writable.rootPath, build.request.style)
      const replacesDirectories = build.request.style === 'classic'
      const task = {
        destination,
        replacesDirectories,
        keepsParents: copy.keepsParents,
        ...(owner && { owner }),
        ...(mode && { mode }),
      }
      const shares = copy.from === '' && build.request.sharesContext === true
      if (shares && (await copyBeneath(stage, writable, sources, task))) return
      for (const source of sources) await copyOne(stage, writable, source, task)
    })
  const isClassic = build.request.style === 'classic'
  const exec = () =>
    explainingDirectory(write, (at) =>
      isClassic
        ? `failed to copy files: failed to copy directory: mkdir ${at}: not a directory`
        : sources.some((one) => one.isArchive)
          ? `mkdir ${at}: not a directory`
          : `cannot copy to non-directory: ${at}`,
    )
  const outcome = await solveStep(stage, planned, { key, exec, takesFromStages })
  const whole = {
    digest: digestOf(...sources.map(({ digest }) => digest)),
    isDirectory: sources.some((one) => one.isDirectory),
  }
  const createdBy = build.words.copy({ ...copy, line: instruction.line }, whole)
  return finishStep(stage, planned, { outcome, createdBy, draft: state.draft, isEmpty: false, takesFromStages })
}

interface CopyTarget {
  readonly destination: string
  readonly replacesDirectories: boolean
  readonly keepsParents: boolean
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly mode?: NonNullable<ReturnType<typeof parseModeChange>>
}

/**
 * A directory of the context into an empty one: what goes there hides nothing, so it is written beneath the mount, where
 * the context's files need no copy. False when it is something else.
 */
async function copyBeneath(
  { build }: StageContext,
  { rootPath, beneath }: Writable,
  sources: readonly CopySource[],
  target: CopyTarget,
): Promise<boolean> {
  const [source] = sources
  if (sources.length !== 1 || !source?.beginsWithDirectory || source.isArchive) return false
  if (target.keepsParents || target.mode) return false
  const { trees } = build.context.storage
  const owner = target.owner ?? { uid: 0, gid: 0 }
  const path = await trees.makeEmptyDirectory({ root: rootPath, path: target.destination, owner })
  if (path === undefined) return false
  const destination = `${path}/`
  const { selection } = source
  await beneath((files) => trees.copy({ ...selection, ...target, destination, target: files, sharesFiles: true }))
  return true
}

async function copyOne(
  { build }: StageContext,
  { rootPath }: Writable,
  { selection, isArchive }: CopySource,
  target: CopyTarget,
): Promise<void> {
  const { trees } = build.context.storage
  // The classic builder leaves what it unpacks to whom the archive says.
  const owner = build.request.style === 'buildkit' && target.owner ? { owner: target.owner } : {}
  const archive = { selection, target: rootPath, destination: target.destination, ...owner }
  if (isArchive) await trees.addArchive(archive, build.signal)
  else await trees.copy({ ...selection, ...target, target: rootPath })
}

/** The instruction with its variables expanded. */
function expandCopy(stage: StageContext, state: StageState, instruction: CopyInstruction): CopyInstruction {
  const expanding = stage.args.expanding(state.draft.config, instruction.line.escape)
  const expand = (word: string) => expandWord(word, expanding)
  return locate(instruction.line.lines, () => ({
    ...instruction,
    sources: instruction.sources.map(expand),
    destination: expand(instruction.destination),
    chown: expand(instruction.chown),
    chmod: expand(instruction.chmod),
    checksum: expand(instruction.checksum),
    exclude: instruction.exclude.map(expand),
    files: instruction.files.map((file) =>
      file.expand ? { ...file, content: expandWord(file.content, { ...expanding, isRaw: true }) } : file,
    ),
  }))
}

/** A destination from the working directory on; a slash at its end, or a dot, says that it is a directory. */
function absolute(destination: string, workingDirectory: string | undefined): string {
  const path = posix.resolve('/', workingDirectory ?? '', destination)
  return /(?:^|\/)\.?$/.test(destination) && path !== '/' ? `${path}/` : path
}

function requireMode(text: string) {
  const mode = parseModeChange(text)
  if (!mode) throw invalid(`invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`)
  return mode
}

async function findSources(
  stage: StageContext,
  copy: CopyInstruction,
  stack: AsyncDisposableStack,
): Promise<CopySource[]> {
  const { build } = stage
  const remote = copy.kind === 'add' ? copy.sources.filter(isRemote) : []
  requireSources(copy, build.request.style)
  const local = copy.sources.filter((source) => !remote.includes(source))
  if (build.request.style === 'classic') requireInside(copy)
  const found: CopySource[] = []
  const defined = copy.from === '' ? undefined : await build.pass?.stageKey(copy.from, stage.stage)
  if (defined !== undefined) return local.map((pattern) => definedSource(copy, pattern, defined))
  if (build.pass && remote.length > 0) throw new Error('what a URL names is known when it is here')
  if (local.length > 0) {
    const root =
      copy.from === '' ? await build.request.contextDirectory(local) : await build.sourceRoot(copy.from, stage.stage)
    const places = local.map((pattern) => ({ root, pattern }))
    found.push(...(await Promise.all(places.map((place) => findLocal(stage, copy, place)))).flat())
    if (found.length === 0 && build.request.style === 'classic') throw noSources(copy)
  }
  if (copy.files.length > 0) {
    const root = await writeInlineFiles(build.context.directory, copy.files, stack)
    found.push(
      ...(await digestAll(
        stage,
        root,
        copy.files.map(({ name }) => name),
      )),
    )
  }
  for (const source of remote) {
    const { root, name } = await fetchSources(stage, copy, source, stack)
    // An archive that a URL names is unpacked where that is wanted, a repository is none.
    const unpacks = name !== undefined && copy.unpacks === true
    const place = { root, pattern: name ?? '', isLiteral: true }
    found.push(...(await findLocal(stage, { ...copy, unpacks, exclude: [] }, place)))
  }
  if (build.request.style === 'classic') requireDirectory(copy, found)
  return found
}

/** Stands for what a stage that is only defined will have there. */
const definedSource = (copy: CopyInstruction, pattern: string, stageKey: string): CopySource => ({
  selection: { root: '', patterns: [pattern], keepsOwner: true, excludes: copy.exclude },
  digest: digestOf('defined', stageKey, pattern, ...copy.exclude),
  isDirectory: false,
  beginsWithDirectory: false,
  count: 1,
  isArchive: false,
})

/** Several things cannot become one file; BuildKit has the last of them be it. */
function requireDirectory({ kind, destination }: CopyInstruction, sources: readonly CopySource[]): void {
  const count = sources.reduce((sum, source) => sum + source.count, 0)
  if (count < 2 || /(?:^|\/)\.{0,2}$/.test(destination)) return
  throw invalid(
    `When using ${kind.toUpperCase()} with more than one source file, the destination must be a directory and end with a /`,
  )
}

/** The classic builder refuses what BuildKit takes for the root. */
function requireInside({ kind, from, sources }: CopyInstruction): void {
  const outside = from === '' && sources.find((source) => posix.normalize(source).startsWith('..'))
  if (outside) throw invalid(`${kind.toUpperCase()} failed: forbidden path outside the build context: ${outside} ()`)
}

async function digestAll(stage: StageContext, root: string, names: readonly string[]): Promise<CopySource[]> {
  const selection = { root, patterns: names, isLiteral: true, keepsOwner: false, excludes: [] }
  const { digest } = await stage.build.context.storage.trees.digest(selection)
  const kinds = { isDirectory: false, beginsWithDirectory: false, isArchive: false, count: names.length }
  return [{ selection, digest, ...kinds }]
}

type Place = Pick<SourceSelection, 'root' | 'isLiteral'> & { readonly pattern: string }

async function findLocal(stage: StageContext, copy: CopyInstruction, place: Place): Promise<CopySource[]> {
  const { root, pattern, isLiteral = false } = place
  const { build } = stage
  const { keptContexts, storage } = build.context
  const path = posix.normalize(`/${pattern}`).replace(/^\/+|\/+$/g, '')
  const selection = { root, patterns: [path], isLiteral, keepsOwner: copy.from !== '', excludes: copy.exclude }
  const { digest, paths, ...kinds } = await keptContexts.digest(selection)
  if (paths.length === 0) {
    // A pattern may match nothing.
    if (!isLiteral && /(?<!\\)[*?[]/.test(pattern)) return []
    throw missing(copy, pattern, build.request.style)
  }
  const unpacks = copy.unpacks ?? copy.kind === 'add'
  if (!unpacks || paths.length === 1) {
    const isArchive = unpacks && (await storage.trees.isArchive(selection))
    return [{ selection, digest, ...kinds, isArchive, count: paths.length }]
  }
  // Each of several may be an archive.
  const each = paths.map((path) => ({ root, pattern: path, isLiteral: true }))
  return (await Promise.all(each.map((one) => findLocal(stage, copy, one)))).flat()
}

/** What COPY cannot take, and what has no checksum; in the words of either builder. */
function requireSources({ kind, sources, files, checksum }: CopyInstruction, style: 'classic' | 'buildkit'): void {
  const refuse = (message: string) =>
    invalid(style === 'classic' ? `${kind.toUpperCase()} failed: ${message}` : message)
  if (kind === 'copy' && style === 'buildkit' && sources.some(isGitSource))
    throw refuse("source can't be a git ref for COPY")
  if (kind === 'copy' && sources.some(isUrl)) throw refuse("source can't be a URL for COPY")
  if (checksum === '') return
  if (sources.length + files.length !== 1) throw invalid("checksum can't be specified for multiple sources")
  if (!sources.every(isRemote)) throw invalid('checksum requires HTTP(S) or Git sources')
}

const noSources = ({ kind }: CopyInstruction): Error =>
  invalid(`${kind.toUpperCase()} failed: no source files were specified`)

function missing({ kind, from }: CopyInstruction, pattern: string, style: 'classic' | 'buildkit'): Error {
  const path = pattern.replace(/^\/+/, '')
  if (style === 'buildkit' && from !== '') return notFound(`lstat /${path}: no such file or directory`)
  if (style === 'buildkit') {
    return notFound(`failed to compute cache key: failed to calculate checksum of ref: "/${path}": not found`)
  }
  const reason =
    from === ''
      ? `file not found in build context or excluded by .dockerignore: stat ${path}: file does not exist`
      : `stat ${path}: file does not exist`
  return notFound(`${kind.toUpperCase()} failed: ${reason}`)
}
