/** What was found out about the host and the engine; what could not be found out is undefined. */
export interface Facts {
  readonly kernelRelease: string
  readonly architecture: string
  /** The file systems that the kernel knows. */
  readonly fileSystems: readonly string[]
  readonly namespaces: readonly string[]
  readonly seccompActions: string
  readonly cgroup: { readonly version: string; readonly controllers: readonly string[] }
  readonly ipForward: string
  readonly programs: Readonly<Record<string, string | undefined>>
  readonly foreignFirewalls: readonly string[]
  readonly nameServers: readonly string[]
  readonly openFiles: number | undefined
  readonly clientVersion: string
  readonly engine: EngineFacts | undefined
  /** Why the engine could not be asked. */
  readonly engineProblem: string
}

export interface EngineFacts {
  readonly version: string
  readonly apiVersion: string
  readonly isLocal: boolean
  readonly dataRoot: string
  readonly disk: { readonly freeBytes: number; readonly sizeBytes: number; readonly freeFiles: number } | undefined
  /** The engine's clock minus ours. */
  readonly clockSkewMs: number
  readonly warnings: readonly string[]
}

export type Verdict = 'ok' | 'warning' | 'problem'

export interface Finding {
  readonly Check: string
  readonly Verdict: Verdict
  readonly Found: string
  /** What to do; empty when all is well. */
  readonly Remedy: string
}

/** Judges the facts; every finding that is not well says how to mend it. */
export function judge(facts: Facts): Finding[] {
  return [
    judgeEngine(facts),
    judgeVersions(facts),
    judgeKernel(facts),
    judgeNamespaces(facts),
    judgeOverlay(facts),
    judgeSeccomp(facts),
    judgeCgroups(facts),
    judgeRuntime(facts),
    judgeFirewall(facts),
    judgeForwarding(facts),
    judgeDns(facts),
    judgeOpenFiles(facts),
    ...judgeDisk(facts),
    ...judgeClock(facts),
    ...(facts.engine?.warnings ?? []).map((text) => warning('engine', text, 'see docs/compatibility.md')),
  ]
}

function ok(Check: string, Found: string): Finding {
  return { Check, Verdict: 'ok', Found, Remedy: '' }
}

function warning(Check: string, Found: string, Remedy: string): Finding {
  return { Check, Verdict: 'warning', Found, Remedy }
}

function problem(Check: string, Found: string, Remedy: string): Finding {
  return { Check, Verdict: 'problem', Found, Remedy }
}

function judgeEngine({ engine, engineProblem }: Facts): Finding {
  if (engine !== undefined) return ok('engine', `${engine.version}, API ${engine.apiVersion}`)
  const remedy = /permission denied/i.test(engineProblem)
    ? 'run as root, or join the group that owns the socket'
    : 'start it: sudo berth daemon; or name another: berth context ls'
  return problem('engine', engineProblem.split('\n')[0] ?? '', remedy)
}

function judgeVersions({ engine, clientVersion }: Facts): Finding {
  if (engine === undefined || engine.version === clientVersion) return ok('versions', `client ${clientVersion}`)
  const found = `client ${clientVersion}, engine ${engine.version}`
  return warning('versions', found, 'use the same release of both where you can')
}

const oldestKernel = [5, 4] as const

function judgeKernel({ kernelRelease, architecture }: Facts): Finding {
  const [major = 0, minor = 0] = kernelRelease.split('.').map(Number)
  const found = `${kernelRelease} on ${architecture}`
  const isOld = major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1])
  return isOld ? problem('kernel', found, `use Linux ${oldestKernel.join('.')} or newer`) : ok('kernel', found)
}

const neededNamespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts']

function judgeNamespaces({ namespaces }: Facts): Finding {
  const missing = neededNamespaces.filter((name) => !namespaces.includes(name))
  if (missing.length === 0) return ok('namespaces', neededNamespaces.join(', '))
  return problem('namespaces', `none for ${missing.join(', ')}`, 'use a kernel with CONFIG_NAMESPACES and all below it')
}

function judgeOverlay({ fileSystems }: Facts): Finding {
  if (fileSystems.includes('overlay')) return ok('overlayfs', 'there')
  return warning('overlayfs', 'not there: every container gets a whole copy of its image', 'modprobe overlay')
}

function judgeSeccomp({ seccompActions }: Facts): Finding {
  if (seccompActions.includes('errno')) return ok('seccomp', 'there')
  return warning('seccomp', 'not there: containers may call everything', 'use a kernel with CONFIG_SECCOMP_FILTER')
}

function judgeCgroups({ cgroup }: Facts): Finding {
  const missing = ['cpu', 'memory', 'pids'].filter((name) => !cgroup.controllers.includes(name))
  const found = `${cgroup.version}: ${cgroup.controllers.join(' ')}`
  if (missing.length === 0) return ok('cgroups', found)
  const remedy = 'mount the cgroup tree, and boot with cgroup_enable=memory where it is off'
  return problem('cgroups', `${cgroup.version}, without ${missing.join(', ')}`, remedy)
}

function judgeRuntime({ programs }: Facts): Finding {
  const found = ['crun', 'runc'].flatMap((name) => programs[name] ?? [])
  if (found.length === 0) return problem('OCI runtime', 'neither crun nor runc', 'apt-get install crun')
  return ok('OCI runtime', found.join(', '))
}

function judgeFirewall({ programs, foreignFirewalls }: Facts): Finding {
  if (programs['nft'] === undefined) return problem('firewall', 'nft is not installed', 'apt-get install nftables')
  if (foreignFirewalls.length === 0) return ok('firewall', programs['nft'])
  const remedy = 'published ports may be filtered by it too: allow them there'
  return warning('firewall', `${foreignFirewalls.join(', ')} is active beside ours`, remedy)
}

function judgeForwarding({ ipForward }: Facts): Finding {
  if (ipForward === '1') return ok('forwarding', 'on')
  const remedy = 'the engine turns it on when it starts; or: sysctl -w net.ipv4.ip_forward=1'
  return warning('forwarding', 'off: containers reach nothing outside', remedy)
}

function judgeDns({ nameServers }: Facts): Finding {
  if (nameServers.length === 0) {
    return warning('DNS', '/etc/resolv.conf names no server', 'add one, or start berthd with --dns')
  }
  const local = nameServers.every((address) => address.startsWith('127.') || address === '::1')
  const found = nameServers.join(', ')
  return ok('DNS', local ? `${found} (on this host: the engine asks it for the containers)` : found)
}

const fewOpenFiles = 1024

function judgeOpenFiles({ openFiles }: Facts): Finding {
  if (openFiles === undefined || openFiles > fewOpenFiles) return ok('open files', String(openFiles ?? 'unknown'))
  return warning('open files', `at most ${openFiles}`, 'raise the limit: ulimit -n 65536, or LimitNOFILE in the unit')
}

const lowShare = 0.1
const lowBytes = 2 ** 30
const lowFiles = 10_000

function judgeDisk({ engine }: Facts): Finding[] {
  if (engine?.disk === undefined) return []
  const { freeBytes, sizeBytes, freeFiles } = engine.disk
  const found = `${engine.dataRoot}: ${Math.round((freeBytes / sizeBytes) * 100)} % of ${gibibytes(sizeBytes)} free`
  const remedy = 'see what takes it: berth system df; free it: berth system prune'
  if (freeBytes < lowBytes) return [problem('disk', found, remedy)]
  if (freeBytes < lowShare * sizeBytes) return [warning('disk', found, remedy)]
  if (freeFiles < lowFiles) return [warning('disk', `${found}, but ${freeFiles} inodes`, remedy)]
  return [ok('disk', found)]
}

function gibibytes(sizeBytes: number): string {
  return `${(sizeBytes / 2 ** 30).toFixed(1)} GiB`
}

const skewMs = 2000
const firstSaneYear = 2024

function judgeClock({ engine }: Facts): Finding[] {
  if (new Date().getUTCFullYear() < firstSaneYear) {
    return [problem('clock', `it is ${new Date().toISOString()} here`, 'set the clock: certificates will not be valid')]
  }
  if (engine === undefined) return []
  const skew = Math.abs(engine.clockSkewMs)
  if (skew < skewMs) return [ok('clock', 'as the engine’s')]
  const found = `${(skew / 1000).toFixed(0)} s apart from the engine's`
  return [warning('clock', found, 'let NTP set both clocks: --since and --until mean other times there')]
}
