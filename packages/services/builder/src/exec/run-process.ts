import { type ContainerId, Undo } from '@berth/base'
import { FrameDecoder } from '@berth/engine-api'
import type { Attachment } from '@berth/networks'
import {
  buildSpec,
  composeEnv,
  defaultMaskedPaths,
  defaultReadonlyPaths,
  readUserFiles,
  resolveUser,
  type SpecInput,
  type SpecMount,
} from '@berth/runtime'
import { mkdir, rm } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Duplex } from 'node:stream'
import type { RunSettings } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Writable } from './writable.ts'

/** A process of a RUN. */
export interface RunProcess {
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly workingDirectory: string
  /** `user[:group]`, '' is root. */
  readonly user: string
  readonly network: string
  /** '' is the container's id, which HOSTNAME tells too. */
  readonly hostname: string
  readonly mounts: readonly SpecMount[]
  readonly settings: RunSettings
}

export interface RunOutput {
  readonly onStart: (containerId: ContainerId) => void
  readonly onOutput: (stream: 1 | 2, bytes: Buffer) => void
}

/** Runs a process in a file system as a container would run it, no weaker confined; resolves to its exit code. */
export async function runProcess(
  context: Context,
  writable: Writable,
  process: RunProcess,
  { onStart, onOutput, signal }: RunOutput & { readonly signal: AbortSignal },
): Promise<number> {
  signal.throwIfAborted()
  const { id } = writable
  const { runtime, networks, logger } = context
  await using undo = new Undo((what, error) => logger.warn({ id, error }, `after a build step: ${what}`))
  const filesDirectory = join(context.runDirectory, id)
  await mkdir(filesDirectory, { recursive: true, mode: 0o700 })
  undo.defer('files', () => rm(filesDirectory, { recursive: true, force: true }))
  const attachment = await networks.attach(attachRequest(id, process, filesDirectory))
  undo.defer('network', () => networks.detach(id))
  const spec = buildSpec(planSpec(context, writable, process, attachment))
  const exited = Promise.withResolvers<number>()
  undo.defer('exit listener', () => listener[Symbol.dispose]())
  const listener = runtime.onExit((report) => {
    if (report.containerId === id && report.execId === undefined) exited.resolve(report.exitCode)
  })
  const output = await runtime.attach({ containerId: id }, { stdin: false, stdout: true, stderr: true })
  const drained = drain(output, onOutput)
  undo.defer('output', () => output.destroy())
  const io = { tty: false, openStdin: false, stdinOnce: false }
  await runtime.start({ containerId: id, spec, io, log: { driver: 'none' } })
  undo.defer('process', () => runtime.release(id))
  onStart(id)
  const kill = () => void runtime.kill({ containerId: id }, 9).catch(() => {})
  signal.addEventListener('abort', kill, { once: true })
  if (signal.aborted) kill()
  try {
    const exitCode = await exited.promise
    await drained
    signal.throwIfAborted()
    return exitCode
  } finally {
    signal.removeEventListener('abort', kill)
  }
}

async function drain(output: Duplex, onOutput: RunOutput['onOutput']): Promise<void> {
  const decoder = new FrameDecoder()
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      for (const { stream, payload } of decoder.push(chunk)) onOutput(stream === 2 ? 2 : 1, payload)
    }
  } catch (error) {
    // The stream was destroyed: the step is over, or given up.
    if (!output.destroyed) throw error
  }
}

const hostnameOf = (id: ContainerId, { hostname }: RunProcess): string => hostname || id.slice(0, 12)

function attachRequest(id: ContainerId, process: RunProcess, filesDirectory: string) {
  const { network, settings } = process
  return {
    containerId: id,
    name: `build-${id.slice(0, 12)}`,
    hostname: hostnameOf(id, process),
    domainname: '',
    mode: network === 'default' ? 'bridge' : network,
    endpoints: {},
    dns: [],
    dnsOptions: [],
    dnsSearch: [],
    extraHosts: settings.extraHosts,
    portBindings: {},
    sysctls: {},
    filesDirectory,
  }
}

function planSpec(
  context: Context,
  { id, rootPath }: Writable,
  process: RunProcess,
  attachment: Attachment,
): SpecInput {
  const { settings } = process
  const defaults = context.defaults()
  const user = resolveUser(process.user, readUserFiles(rootPath))
  const hostname = hostnameOf(id, process)
  // A name without a value takes the variable out.
  const own = process.hostname === '' ? process.env : ['HOSTNAME', ...process.env]
  const parent = settings.cgroupParent || defaults.cgroupParent
  return {
    id,
    facts: context.facts,
    rootPath,
    isRootReadOnly: false,
    args: process.args,
    env: composeEnv({ hostname, terminal: false, own, home: user.home }),
    cwd: process.workingDirectory,
    user,
    terminal: false,
    hostname,
    domainname: '',
    namespaces: {
      pid: 'private',
      ipc: 'private',
      uts: 'private',
      cgroup: context.facts.cgroup.version === 2 ? 'private' : 'host',
      network: attachment.netnsPath === undefined ? 'host' : { path: attachment.netnsPath },
    },
    hostFiles: attachment,
    shm: { sizeBytes: settings.shmSizeBytes },
    mounts: process.mounts,
    isPrivileged: false,
    capAdd: [],
    capDrop: [],
    seccomp: defaults.seccomp,
    noNewPrivileges: defaults.noNewPrivileges,
    appArmorProfile: defaults.appArmorProfile,
    maskedPaths: [...defaultMaskedPaths, ...context.facts.thermalThrottlePaths],
    readonlyPaths: defaultReadonlyPaths,
    devices: [],
    deviceRules: [],
    sysctls: {},
    ulimits: mergeUlimits(defaults.ulimits, settings.ulimits),
    oomScoreAdj: 0,
    hasWritableCgroups: false,
    resources: settings.resources,
    cgroupsPath: posix.normalize(`/${parent}/${id}`),
    annotations: {},
  }
}

type Ulimits = RunSettings['ulimits']

/** The request's own win over the daemon's of the same name. */
function mergeUlimits(defaults: Ulimits, own: Ulimits): Ulimits {
  return [...new Map([...defaults, ...own].map((limit) => [limit.name, limit])).values()]
}
