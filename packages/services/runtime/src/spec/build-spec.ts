import type { RuntimeLinux, RuntimeProcess, RuntimeResources, RuntimeSeccomp, RuntimeSpec } from '@berth/oci'
import { resolveCapabilities } from './capabilities.ts'
import type { DeviceRule, NamespaceSource, SpecInput } from './input.ts'
import { buildMounts, initDestination, rootfsPropagation } from './mounts.ts'
import { defaultSeccomp } from './seccomp.ts'
import { parseSeccompProfile } from './seccomp-profile.ts'

/**
 * The OCI runtime's configuration of a container, the same that Docker's engine writes. Pure. Throws `invalid` for a
 * seccomp profile or tmpfs option that cannot be understood.
 */
export function buildSpec(input: SpecInput): RuntimeSpec {
  const capabilities = resolveCapabilities(input, input.facts.boundingCapabilities)
  const isUtsPrivate = input.namespaces.uts === 'private'
  return {
    ociVersion: '1.0.2',
    ...(isUtsPrivate && input.hostname !== '' && { hostname: input.hostname }),
    root: { path: input.rootPath, readonly: input.isRootReadOnly },
    process: buildProcess(input, capabilities),
    mounts: buildMounts(input),
    ...(Object.keys(input.annotations).length > 0 && { annotations: { ...input.annotations } }),
    linux: buildLinux(input, capabilities),
  }
}

/** What an exec needs of the spec: the same user's rights, another command. */
export function buildProcess(input: SpecInput, capabilities: readonly string[]): RuntimeProcess {
  const { uid, gid, additionalGids } = input.user
  return {
    terminal: input.terminal,
    ...(input.terminal && input.consoleSize && isSized(input.consoleSize) && { consoleSize: size(input.consoleSize) }),
    user: { uid, gid, additionalGids: [...additionalGids] },
    args: input.initPath === undefined ? [...input.args] : [initDestination, '--', ...input.args],
    env: [...input.env],
    cwd: input.cwd,
    capabilities: processCapabilities(capabilities),
    ...processLimits(input.ulimits),
    noNewPrivileges: input.noNewPrivileges,
    ...(isConfined(input) && { apparmorProfile: input.appArmorProfile }),
    oomScoreAdj: input.oomScoreAdj,
  }
}

/** Inheritable stays empty: else every file with inheritable bits would give them to a plain user. */
export function processCapabilities(capabilities: readonly string[]): NonNullable<RuntimeProcess['capabilities']> {
  return {
    bounding: [...capabilities],
    effective: [...capabilities],
    permitted: [...capabilities],
    inheritable: [],
  }
}

const isConfined = (input: SpecInput): boolean => input.facts.hasAppArmor && input.appArmorProfile !== ''

const isSized = ({ rows, columns }: { rows: number; columns: number }): boolean => rows > 0 && columns > 0
const size = ({ rows, columns }: { rows: number; columns: number }) => ({ height: rows, width: columns })

/** What every process of a container is held to, whoever starts it. */
export const processLimits = (ulimits: SpecInput['ulimits']): Pick<RuntimeProcess, 'rlimits'> =>
  ulimits.length > 0 ? { rlimits: ulimits.map(rlimit) } : {}

/** A limit below 0 means none: RLIM_INFINITY, which as a number would lose its last digits. */
function rlimit({ name, soft, hard }: SpecInput['ulimits'][number]): { type: string; hard: number; soft: number } {
  return { type: `RLIMIT_${name.toUpperCase()}`, hard: limit(hard), soft: limit(soft) }
}

const limit = (value: number): number => (value < 0 ? infinity : value)

// Not in TypeScript's library yet: a value that JSON.stringify writes as it is.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
const infinity = rawJSON('18446744073709551615') as number

function buildLinux(input: SpecInput, capabilities: readonly string[]): RuntimeLinux {
  const seccomp = buildSeccomp(input, capabilities)
  const propagation = rootfsPropagation(input.mounts)
  const sysctl = buildSysctls(input)
  const { maskedPaths, readonlyPaths } = input
  return {
    namespaces: buildNamespaces(input.namespaces),
    devices: input.devices.map(deviceNode),
    cgroupsPath: input.cgroupsPath,
    resources: { ...input.resources, devices: deviceRules(input) },
    ...(Object.keys(sysctl).length > 0 && { sysctl }),
    ...(seccomp && { seccomp }),
    ...(propagation && { rootfsPropagation: propagation }),
    ...(maskedPaths.length > 0 && { maskedPaths: [...maskedPaths] }),
    ...(readonlyPaths.length > 0 && { readonlyPaths: [...readonlyPaths] }),
  }
}

function buildNamespaces(namespaces: SpecInput['namespaces']): RuntimeLinux['namespaces'] {
  const order = ['network', 'uts', 'pid', 'ipc', 'cgroup'] as const
  return [{ type: 'mount' }, ...order.flatMap((type) => namespace(type, namespaces[type]))]
}

function namespace(
  type: RuntimeLinux['namespaces'][number]['type'],
  source: NamespaceSource,
): RuntimeLinux['namespaces'] {
  if (source === 'host') return []
  return [source === 'private' ? { type } : { type, path: source.path }]
}

/** `default` is left out under privileged, as in Docker; a profile of the user's holds also there. */
function buildSeccomp(input: SpecInput, capabilities: readonly string[]): RuntimeSeccomp | undefined {
  const { seccomp } = input
  if (!input.facts.hasSeccomp || seccomp === 'unconfined') return undefined
  if (seccomp !== 'default') return parseSeccompProfile(seccomp.profile, capabilities, input.facts)
  return input.isPrivileged ? undefined : defaultSeccomp(capabilities, input.facts)
}

/** Unprivileged ping and low ports do no harm in a network namespace of one's own. */
function buildSysctls(input: SpecInput): Record<string, string> {
  const ownNetwork = { 'net.ipv4.ping_group_range': '0 2147483647', 'net.ipv4.ip_unprivileged_port_start': '0' }
  return {
    ...(isOwnNetwork(input) && ownNetwork),
    ...(input.domainname !== '' && input.namespaces.uts === 'private' && { 'kernel.domainname': input.domainname }),
    ...input.sysctls,
  }
}

function isOwnNetwork({ namespaces, isNetworkShared }: SpecInput): boolean {
  return namespaces.network !== 'host' && !isNetworkShared
}

/** null, zero, full, random, urandom, tty, console; the OCI runtime adds ptmx, the ptys and mknod. */
const defaultDeviceNumbers = [
  [1, 3],
  [1, 5],
  [1, 7],
  [1, 8],
  [1, 9],
  [5, 0],
  [5, 1],
] as const

function deviceRules(input: SpecInput): NonNullable<RuntimeResources['devices']> {
  if (input.isPrivileged) return [{ allow: true, type: 'a', access: 'rwm' }]
  return [
    { allow: false, type: 'a', access: 'rwm' },
    ...defaultDeviceNumbers.map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
    ...input.devices.filter(({ cgroupPermissions }) => cgroupPermissions !== '').map(ruleOfDevice),
    ...input.deviceRules.map(ruleOf),
  ]
}

const deviceNode = ({ type, path, major, minor, fileMode, uid, gid }: SpecInput['devices'][number]) => ({
  type,
  path,
  major,
  minor,
  fileMode,
  uid,
  gid,
})

const ruleOfDevice = ({ type, major, minor, cgroupPermissions }: SpecInput['devices'][number]) => ({
  allow: true,
  type,
  major,
  minor,
  access: cgroupPermissions,
})

/** The OCI runtime reads an absent number as any. */
function ruleOf({ type, major, minor, access }: DeviceRule) {
  return { allow: true, type, ...(major >= 0 && { major }), ...(minor >= 0 && { minor }), access }
}
