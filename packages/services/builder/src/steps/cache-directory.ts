import { notFound } from '@berth/base'
import { chmod, chown, mkdir, mkdtemp, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanContextPath } from '../stages/context-paths.ts'
import { digestOf } from '../stages/stage-state.ts'
import type { MountText } from './mount-text.ts'
import type { PlannedMount } from './run-mounts.ts'
import type { BuildContext } from './step-context.ts'

interface CacheToPlan {
  readonly mount: MountText
  /** Of the tree that it begins as, '' for an empty one. */
  readonly root: string
  /** Of the RUN, for users. */
  readonly command: string
}

/** Decides which directory a cache mount is: by its id, what it begins as, and the namespace that the build has. */
export async function planCache(
  { context, request }: BuildContext,
  { mount, root, command }: CacheToPlan,
): Promise<PlannedMount> {
  const id = `${request.args['BUILDKIT_CACHE_MOUNT_NS'] ?? ''}/${mount.id || mount.target}`
  const begins = root === '' ? [] : [await digestBeginning(context, mount, root)]
  const name = digestOf('cache mount', id, ...begins).slice('sha256:'.length)
  const description = `cached mount ${mount.target} from exec ${command} with id ${JSON.stringify(id)}`
  return { ...mount, root, key: digestOf('cache', mount.target, id, ...begins), cache: { name, description } }
}

async function digestBeginning({ storage }: BuildContext['context'], mount: MountText, root: string): Promise<string> {
  const selection = { root, patterns: [cleanContextPath(mount.source)], keepsOwner: true, excludes: [] }
  const { digest, paths } = await storage.trees.digest(selection)
  if (paths.length === 0) throw notFound(`${JSON.stringify(mount.source)}: not found`)
  return digest
}

/** A cache's directory, made when it is asked for the first time; it is in use until `stack` is disposed of. */
export async function cacheDirectory(
  { context }: BuildContext,
  mount: PlannedMount,
  stack: AsyncDisposableStack,
): Promise<string> {
  const { name, description } = mount.cache as NonNullable<PlannedMount['cache']>
  const own = mount.sharing === 'private' ? unused(context, name) : name
  if (mount.sharing === 'locked') stack.use(await context.mountLocks.acquire(own))
  stack.use(context.mounts.hold(own, description))
  const directory = context.mounts.directoryOf(own)
  if (!(await exists(directory))) await makeDirectory(context, mount, directory)
  return directory
}

/** The first of the cache's directories that nobody has mounted. */
function unused({ mounts }: BuildContext['context'], name: string): string {
  for (let i = 0; ; i++) {
    const candidate = i === 0 ? name : digestOf('private', name, String(i)).slice('sha256:'.length)
    if (!mounts.isHeld(candidate)) return candidate
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Made aside, so that nobody sees half of it; another build may have been faster. */
async function makeDirectory(
  { directory: root, storage }: BuildContext['context'],
  mount: PlannedMount,
  directory: string,
): Promise<void> {
  await mkdir(join(root, 'mounts'), { recursive: true, mode: 0o700 })
  const fresh = await mkdtemp(join(root, 'tmp', 'cache-'))
  await chmod(fresh, 0o755)
  if (mount.root !== '') {
    await storage.trees.copy({
      root: mount.root,
      patterns: [cleanContextPath(mount.source)],
      keepsOwner: true,
      excludes: [],
      target: fresh,
      destination: '/',
      keepsParents: false,
    })
  } else {
    await chown(fresh, mount.uid, mount.gid)
    await chmod(fresh, mount.mode ?? 0o755)
  }
  try {
    await rename(fresh, directory)
  } catch (error) {
    await storage.trees.remove([fresh])
    if (!(await exists(directory))) throw error
  }
}
