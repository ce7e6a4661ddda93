import { invalid } from '@berth/base'
import type { Attachment } from '@berth/networks'
import {
  composeEnv,
  normalizeCapability,
  readDeviceNumbers,
  readDevices,
  readHostDevices,
  readUserFiles,
  resolveUser,
  type SpecInput,
} from '@berth/runtime'
import { posix } from 'node:path'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { linkedEnvironment } from './links.ts'
import { requireNoDeviceRequests } from './plan/device-requests.ts'
import { joinedContainer } from './plan/namespace-modes.ts'
import { blockDevicePaths, parseDeviceRule, planResources } from './plan/plan-resources.ts'
import { parseSecurityOptions } from './plan/security-options.ts'
import type { PinnedSources } from './pinned-mounts.ts'
import { resolveMounts } from './resolve-destination.ts'
import { specMounts } from './spec-mounts.ts'
import { specNamespaces, specShm } from './spec-namespaces.ts'

/** What a start has made before it builds the spec. */
export interface StartFacts {
  readonly rootPath: string
  readonly attachment: Attachment
  /** Of mounts, by destination, where others than those of the container's record. */
  readonly sources: PinnedSources
}

/** Everything that building the spec needs, looked up: users in the image's files, devices and joins on the host. */
export async function planSpecInput(
  context: Context,
  container: Container,
  { rootPath, attachment, sources }: StartFacts,
): Promise<SpecInput> {
  const { config, hostConfig } = container
  requireNoDeviceRequests(hostConfig)
  const mounts = resolveMounts(
    await specMounts(container, { sources, dataRoot: context.defaults().dataRoot }),
    rootPath,
  )
  const user = resolveUser(config.User, readUserFiles(rootPath), hostConfig.GroupAdd ?? [])
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], context.defaults())
  return {
    id: container.id,
    facts: context.facts,
    rootPath,
    isRootReadOnly: hostConfig.ReadonlyRootfs,
    args: container.args,
    env: composeEnv({
      hostname: config.Hostname,
      terminal: config.Tty,
      linked: linkedEnvironment(context, container),
      own: config.Env,
      home: user.home,
    }),
    cwd: config.WorkingDir || '/',
    user,
    terminal: config.Tty,
    consoleSize: { rows: hostConfig.ConsoleSize[0], columns: hostConfig.ConsoleSize[1] },
    hostname: config.Hostname,
    domainname: config.Domainname,
    namespaces: specNamespaces(context, container, attachment),
    isNetworkShared: joinedContainer(hostConfig.NetworkMode) !== undefined,
    hostFiles: attachment,
    shm: specShm(context, container),
    mounts,
    ...(await rights(container)),
    ...security,
    appArmorProfile: container.appArmorProfile,
    maskedPaths: hostConfig.MaskedPaths ?? [],
    readonlyPaths: hostConfig.ReadonlyPaths ?? [],
    sysctls: hostConfig.Sysctls ?? {},
    ulimits: containerUlimits(context, container),
    oomScoreAdj: hostConfig.OomScoreAdj,
    resources: planResources(hostConfig, await readDeviceNumbers(blockDevicePaths(hostConfig))),
    cgroupsPath: cgroupsPath(context, container),
    ...(wantsInit(context, container) && { initPath: requireInit(context) }),
    annotations: hostConfig.Annotations ?? {},
  }
}

async function rights({ hostConfig }: Container) {
  const { Privileged, CapAdd, CapDrop, Devices, DeviceCgroupRules } = hostConfig
  return {
    isPrivileged: Privileged,
    capAdd: (CapAdd ?? []).map(normalizeCapability),
    capDrop: (CapDrop ?? []).map(normalizeCapability),
    devices: [...(Privileged ? await readHostDevices() : []), ...(await readDevices(Devices ?? []))],
    deviceRules: (DeviceCgroupRules ?? []).map(parseDeviceRule),
  }
}

/** The container's own, and the daemon's for those that it does not set. */
export function containerUlimits(context: Context, { hostConfig }: Container): SpecInput['ulimits'] {
  const own = Object.fromEntries((hostConfig.Ulimits ?? []).map((limit) => [limit.Name, limit]))
  const all = Object.values({ ...context.defaults().ulimits, ...own })
  return all.map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard }))
}

/** Path of the cgroup below every hierarchy. */
export function cgroupsPath(context: Context, { id, hostConfig }: Container): string {
  const parent = hostConfig.CgroupParent || context.defaults().cgroupParent
  return posix.normalize(`/${parent}/${id}`)
}

/** In a PID namespace of others an init is there already. */
function wantsInit(context: Context, { hostConfig }: Container): boolean {
  return hostConfig.PidMode === '' && (hostConfig.Init ?? context.defaults().init)
}

function requireInit({ facts }: Context): string {
  if (facts.initPath === undefined)
    throw invalid('no init program found: install tini or catatonit, or set --init-path')
  return facts.initPath
}
