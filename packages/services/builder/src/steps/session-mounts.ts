import { invalid } from '@berth/base'
import type { SpecMount } from '@berth/runtime'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { MountText } from './mount-text.ts'
import type { StageContext } from './step-context.ts'

/** What a RUN gets of the client's session. */
export interface SessionMount {
  readonly mounts: readonly SpecMount[]
  readonly env: readonly string[]
}

const nothing: SessionMount = { mounts: [], env: [] }

/**
 * Fetches a secret, or makes the socket of an agent, below the engine's run directory, until `stack` is disposed of. What
 * is not required may be missing.
 */
export async function prepareSessionMount(
  stage: StageContext,
  mount: MountText,
  stack: AsyncDisposableStack,
): Promise<SessionMount> {
  return mount.type === 'ssh' ? await prepareAgent(stage, mount, stack) : await prepareSecret(stage, mount, stack)
}

async function prepareSecret(
  stage: StageContext,
  mount: MountText,
  stack: AsyncDisposableStack,
): Promise<SessionMount> {
  const id = mount.id || mount.source || posix.basename(mount.target) || mount.variable
  const secret = await stage.build.request.session?.secret(id)
  if (secret === undefined) {
    if (mount.isRequired) throw invalid(`secret ${id}: not found`)
    return nothing
  }
  const env = mount.variable === '' ? [] : [`${mount.variable}=${Buffer.from(secret).toString()}`]
  if (mount.target === '') return { mounts: [], env }
  const path = await temporaryPath(stage, stack)
  await writeFile(path, secret, { mode: 0o600, flag: 'wx' })
  await giveTo(path, mount, 0o400)
  return { mounts: [bindFile(path, mount, true)], env }
}

async function prepareAgent(stage: StageContext, mount: MountText, stack: AsyncDisposableStack): Promise<SessionMount> {
  const id = mount.id || 'default'
  const path = await temporaryPath(stage, stack)
  const agent = await stage.build.request.session?.forwardAgent(id, path)
  if (!agent) {
    if (mount.isRequired) throw invalid(`no SSH key ${JSON.stringify(id)} forwarded from the client`)
    return nothing
  }
  stack.use(agent)
  await giveTo(path, mount, 0o600)
  return { mounts: [bindFile(path, mount, false)], env: [`SSH_AUTH_SOCK=${mount.target}`] }
}

async function temporaryPath(stage: StageContext, stack: AsyncDisposableStack): Promise<string> {
  // Short: a socket's path has 107 bytes.
  const directory = join(stage.build.context.runDirectory, `s-${randomBytes(6).toString('hex')}`)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  return join(directory, 'f')
}

async function giveTo(path: string, { uid, gid, mode }: MountText, defaultMode: number): Promise<void> {
  await chmod(path, mode ?? defaultMode)
  await chown(path, uid, gid)
}

const bindFile = (source: string, { target }: MountText, readOnly: boolean): SpecMount => ({
  type: 'bind',
  source,
  destination: posix.resolve('/', target),
  readOnly,
  recursive: false,
  readOnlyRecursion: 'if-possible',
  propagation: 'rprivate',
})
