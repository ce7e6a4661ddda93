import { existsSync, realpathSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import type { Target } from '@berth/bake'
import { codeOf, parseGoBool } from '@berth/base'

/** What builds may do besides building: flags of `--allow`. */
export interface Entitlements {
  readonly networkHost: boolean
  readonly securityInsecure: boolean
  readonly ssh: boolean
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

export function parseEntitlements(flags: readonly string[]): Entitlements {
  const reads: string[] = [process.cwd()]
  const writes: string[] = [process.cwd()]
  for (const flag of flags) {
    const at = flag.indexOf('=')
    const [key, value] = at === -1 ? [flag, ''] : [flag.slice(0, at), flag.slice(at + 1)]
    switch (key) {
      case 'network.host':
      case 'security.insecure':
      case 'ssh':
      case 'image':
      case 'image.push':
      case 'image.load':
        break
      case 'fs':
        reads.push(value)
        writes.push(value)
        break
      case 'fs.read':
        reads.push(value)
        break
      case 'fs.write':
        writes.push(value)
        break
      default:
        throw new Error(`unknown entitlement key ${JSON.stringify(key)}`)
    }
  }
  const has = (flag: string): boolean => flags.includes(flag)
  return {
    networkHost: has('network.host'),
    securityInsecure: has('security.insecure'),
    ssh: has('ssh'),
    reads,
    writes,
  }
}

/** What targets ask for that was not granted, as a user is told of it. */
interface Request {
  readonly flag: string
  readonly told: string
}

export function missingEntitlements(targets: Iterable<Target>, granted: Entitlements, isFsChecked: boolean): Request[] {
  const requests: Request[] = []
  const reads = new Set<string>()
  const writes = new Set<string>()
  for (const { fields } of targets) {
    const wants = (name: string): boolean => fields.entitlements?.includes(name) === true
    if (wants('network.host') && !granted.networkHost) {
      requests.push({ flag: 'network.host', told: 'Running build containers that can access host network' })
    }
    if (wants('security.insecure') && !granted.securityInsecure) {
      requests.push({ flag: 'security.insecure', told: 'Running privileged containers that can make system changes' })
    }
    if (fields.ssh?.some(({ paths }) => paths.length === 0) === true && !granted.ssh) {
      requests.push({ flag: 'ssh', told: 'Forwarding default SSH agent socket' })
    }
    for (const path of readPaths(fields)) reads.add(path)
    for (const path of writtenPaths(fields)) writes.add(path)
  }
  if (isFsChecked) requests.push(...pathRequests([...reads], [...writes], granted))
  return requests.filter(({ flag }, at) => requests.findIndex((one) => one.flag === flag) === at)
}

function pathRequests(reads: readonly string[], writes: readonly string[], granted: Entitlements): Request[] {
  const read = missingPaths(reads, granted.reads)
  const written = missingPaths(writes, granted.writes)
  const both = read.filter((path) => written.includes(path))
  const request = (flag: string, told: string) => (path: string) => ({
    flag: `${flag}=${path}`,
    told: `${told} ${path}`,
  })
  return [
    ...both.map(request('fs', 'Read and write access to path')),
    ...read.filter((path) => !both.includes(path)).map(request('fs.read', 'Read access to path')),
    ...written.filter((path) => !both.includes(path)).map(request('fs.write', 'Write access to path')),
  ]
}

function readPaths({
  context = '.',
  contexts,
  dockerfile,
  secret = [],
  ssh = [],
  ...fields
}: Target['fields']): string[] {
  const isLocal = (path: string): boolean =>
    !/^(?:[a-z+]+:\/\/|git@|github\.com\/|target:|docker-image:|oci-layout:)/.test(path)
  const caches = (fields['cache-from'] ?? [])
    .filter(({ type }) => type === 'local')
    .map(({ attributes }) => attributes['src'] ?? '')
  const folders = [context, ...(contexts?.values() ?? [])].filter(isLocal)
  return [
    ...folders,
    ...(isLocal(context) && dockerfile !== undefined ? [resolve(context, dockerfile)] : []),
    ...caches,
    ...secret.map(({ src }) => src),
    ...ssh.flatMap(({ paths }) => paths),
  ].filter((path) => path !== '')
}

function writtenPaths({ output = [], ...fields }: Target['fields']): string[] {
  const caches = (fields['cache-to'] ?? [])
    .filter(({ type }) => type === 'local')
    .map(({ attributes }) => attributes['dest'] ?? '')
  return [...output.filter(({ dest }) => dest !== '-').map(({ dest }) => dest), ...caches].filter((path) => path !== '')
}

/** The paths that are in none of the granted folders, without what others of them contain. */
function missingPaths(paths: readonly string[], granted: readonly string[]): string[] {
  const folders = granted.map((path) => realpathSync(resolve(path)))
  const missing = [...new Set(paths.map(existingPath))].filter(
    (path) => !folders.some((folder) => contains(folder, path)),
  )
  return missing
    .filter((path) => !missing.some((other) => other !== path && contains(other, path)))
    .map(shorten)
    .toSorted()
}

/** As seen from the current folder, unless it is somewhere else altogether. */
function shorten(path: string): string {
  const seen = relative(process.cwd(), path)
  return seen.startsWith('../') ? path : seen || '.'
}

const contains = (folder: string, path: string): boolean =>
  folder === '/' || path === folder || path.startsWith(`${folder}/`)

/** The path without links, as far as it exists. */
function existingPath(path: string): string {
  let at = resolve(path)
  while (!existsSync(at)) at = dirname(at)
  try {
    return realpathSync(at)
  } catch (error) {
    throw new Error(`failed to evaluate path ${JSON.stringify(path)}: ${codeOf(error)}`, { cause: error })
  }
}

/** Whether access to files outside of the current folder has to be allowed: unless the environment says no. */
export function checksFiles(env: Readonly<Record<string, string | undefined>>): boolean {
  const given = env['BUILDX_BAKE_ENTITLEMENTS_FS']
  if (given === undefined) return true
  const value = parseGoBool(given)
  if (value !== undefined) return value
  throw new Error(
    `failed to parse BUILDX_BAKE_ENTITLEMENTS_FS value ${JSON.stringify(given)}: strconv.ParseBool: parsing ${JSON.stringify(given)}: invalid syntax`,
  )
}
