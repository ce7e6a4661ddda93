import { notFound } from '@berth/base'
import { commandLine, expandWord, locate, type RunInstruction } from '@berth/dockerfile'
import { openInRoot, procFd } from '@berth/linux'
import type { SpecMount } from '@berth/runtime'
import {
  closeSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { cleanContextPath } from '../stages/context-paths.ts'
import { digestOf, type StageState } from '../stages/stage-state.ts'
import { cacheDirectory, planCache } from './cache-directory.ts'
import { type MountText, parseMountText } from './mount-text.ts'
import { prepareSessionMount, type SessionMount } from './session-mounts.ts'
import type { StageContext } from './step-context.ts'

/** A mount that is decided upon. */
export interface PlannedMount extends MountText {
  /** What of it the outcome depends on; a cache's content is none. */
  readonly key: string
  /** Host path of the tree that a bind takes from, or that a cache begins as. */
  readonly root: string
  /** Of a cache: which directory it is, and what users are told of it. */
  readonly cache?: { readonly name: string; readonly description: string }
}

/** Reads the mounts of a RUN and digests what they bring in. */
export async function planRunMounts(
  stage: StageContext,
  state: StageState,
  instruction: RunInstruction,
): Promise<PlannedMount[]> {
  const expanding = stage.args.expanding(state.draft.config, instruction.line.escape)
  const texts = locate(instruction.line.lines, () =>
    instruction.mounts.map((text) => parseMountText(expandWord(text, expanding))),
  )
  const planned: PlannedMount[] = []
  const command = commandLine(state.draft.config, instruction.command).join(' ')
  for (const mount of texts) planned.push(await planMount(stage, mount, command))
  return planned
}

async function planMount(stage: StageContext, mount: MountText, command: string): Promise<PlannedMount> {
  if (mount.type === 'secret' || mount.type === 'ssh') return planSessionMount(mount)
  if (mount.type === 'tmpfs') return { ...mount, root: '', key: digestOf('tmpfs', mount.target) }
  const { build } = stage
  const defined = mount.from === '' ? undefined : await build.pass?.stageKey(mount.from, stage.stage)
  if (defined !== undefined) {
    const key = digestOf('defined', mount.type, mount.target, mount.id, String(mount.isReadOnly), mount.source, defined)
    return { ...mount, root: '', key }
  }
  const root = mount.from === '' ? '' : await build.sourceRoot(mount.from, stage.stage)
  if (mount.type === 'cache') return await planCache(build, { mount, root, command })
  const tree = mount.from === '' ? await build.request.contextDirectory([mount.source]) : root
  const selection = { root: tree, patterns: [cleanContextPath(mount.source)], keepsOwner: true, excludes: [] }
  const { digest, paths } = await build.context.keptContexts.digest(selection)
  if (paths.length === 0) throw notFound(`${JSON.stringify(mount.source)}: not found`)
  return { ...mount, root: tree, key: digestOf('bind', mount.target, String(mount.isReadOnly), digest) }
}

/** What the session gives is no part of the key. */
const planSessionMount = (mount: MountText): PlannedMount => ({
  ...mount,
  root: '',
  key: digestOf(mount.type, mount.target, mount.variable),
})

export interface PreparedMounts extends AsyncDisposable {
  readonly mounts: readonly SpecMount[]
  /** `NAME=value` that goes with them. */
  readonly env: readonly string[]
}

export interface MountsToPrepare {
  readonly mounts: readonly PlannedMount[]
  readonly script: { readonly path: string; readonly content: string } | undefined
  readonly rootPath: string
}

/** Makes what the mounts need, and their mount points; disposing removes those again, for they are no part of the layer. */
export async function prepareRunMounts(
  stage: StageContext,
  { mounts, script, rootPath }: MountsToPrepare,
): Promise<PreparedMounts> {
  await using stack = new AsyncDisposableStack()
  const specMounts: SpecMount[] = []
  const env: string[] = []
  for (const mount of mounts) {
    const { mounts: specs, env: variables } = await prepareMount(stage, mount, stack)
    env.push(...variables)
    for (const spec of specs) {
      specMounts.push(spec)
      await makeMountPoint(stage, rootPath, spec, stack)
    }
  }
  if (script) specMounts.push(bindScript(stage, script, stack))
  const owned = stack.move()
  return { mounts: specMounts, env, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function prepareMount(
  stage: StageContext,
  mount: PlannedMount,
  stack: AsyncDisposableStack,
): Promise<SessionMount> {
  if (mount.type === 'secret' || mount.type === 'ssh') return await prepareSessionMount(stage, mount, stack)
  const spec = mount.type === 'tmpfs' ? tmpfs(mount) : await bind(stage, mount, stack)
  return { mounts: [spec], env: [] }
}

function tmpfs({ target, sizeBytes }: PlannedMount): SpecMount {
  const options = sizeBytes === undefined ? [] : [`size=${sizeBytes}`]
  return { type: 'tmpfs', destination: posix.resolve('/', target), options }
}

async function bind(stage: StageContext, mount: PlannedMount, stack: AsyncDisposableStack): Promise<SpecMount> {
  const source = await sourceOf(stage, mount, stack)
  return {
    type: 'bind',
    source,
    destination: posix.resolve('/', mount.target),
    readOnly: mount.isReadOnly,
    recursive: false,
    readOnlyRecursion: 'if-possible',
    propagation: 'rprivate',
  }
}

async function sourceOf(stage: StageContext, mount: PlannedMount, stack: AsyncDisposableStack): Promise<string> {
  if (mount.type === 'cache') return await cacheDirectory(stage.build, mount, stack)
  if (mount.isReadOnly) return resolveIn(mount.root, mount.source)
  // What is written to it is thrown away.
  const copy = temporary(stage, stack)
  const { trees } = stage.build.context.storage
  await trees.copy({
    root: mount.root,
    patterns: [cleanContextPath(mount.source)],
    keepsOwner: true,
    excludes: [],
    target: copy,
    destination: '/',
    keepsParents: false,
  })
  return copy
}

function resolveIn(root: string, path: string): string {
  const fd = openInRoot(root, cleanContextPath(path) || '.')
  try {
    return readlinkSync(procFd(fd))
  } finally {
    closeSync(fd)
  }
}

function temporary(stage: StageContext, stack: AsyncDisposableStack): string {
  const directory = join(stage.build.context.directory, 'tmp', `mount-${process.pid}-${count++}`)
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  stack.defer(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

let count = 0

function bindScript(
  stage: StageContext,
  { path, content }: { readonly path: string; readonly content: string },
  stack: AsyncDisposableStack,
): SpecMount {
  const source = join(temporary(stage, stack), 'script')
  writeFileSync(source, content, { mode: 0o755 })
  return {
    type: 'bind',
    source,
    destination: path,
    readOnly: true,
    recursive: false,
    readOnlyRecursion: 'if-possible',
    propagation: 'rprivate',
  }
}

/** The runtime would make it, and it would stay in the layer. */
async function makeMountPoint(
  stage: StageContext,
  rootPath: string,
  mount: SpecMount,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { trees } = stage.build.context.storage
  const isFile = mount.type === 'bind' && !statSync(mount.source).isDirectory()
  const { destination } = mount
  for (const path of prefixes(isFile ? dirname(destination) : destination)) {
    const isNew = await trees.makeDirectory({ root: rootPath, path, owner: { uid: 0, gid: 0 } })
    if (isNew) stack.defer(() => removeEmpty(rootPath, path))
  }
  // Before the directories that it is in.
  if (isFile && !exists(rootPath, destination)) stack.defer(() => removeEmptyFile(rootPath, destination))
}

const prefixes = (path: string): string[] => {
  const parts = path.split('/').filter(Boolean)
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)
}

function exists(rootPath: string, path: string): boolean {
  try {
    lstatSync(join(resolveIn(rootPath, dirname(path)), posix.basename(path)))
    return true
  } catch {
    return false
  }
}

/** A file's mount point is made by the runtime, empty. */
function removeEmptyFile(rootPath: string, path: string): void {
  try {
    const file = join(resolveIn(rootPath, dirname(path)), posix.basename(path))
    const status = lstatSync(file)
    if (status.isFile() && status.size === 0) unlinkSync(file)
  } catch {
    // As below.
  }
}

function removeEmpty(rootPath: string, path: string): void {
  try {
    const parent = resolveIn(rootPath, dirname(path))
    rmdirSync(join(parent, posix.basename(path)))
  } catch {
    // The step has put something into it, or removed it: it is a part of the layer then.
  }
}
