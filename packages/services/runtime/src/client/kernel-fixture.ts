import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { type ContainerId, type ExecId, newContainerId, newExecId, silentLogger } from '@berth/base'
import { adoptStrayControllers, detectCgroups, readMountInfo, releaseStrayControllers } from '@berth/linux'
import type { RuntimeProcess, RuntimeSpec } from '@berth/oci'
import type { ExitReport, LogTarget, ProcessIo, Runtime, StartRequest } from '../runtime.ts'
import { openRuntime, type OpenRuntimeOptions } from './open-runtime.ts'

/** A run root and a busybox root file system for kernel tests; dispose it to check that nothing is left. */
export interface RuntimeFixture {
  readonly directory: string
  readonly options: OpenRuntimeOptions
  open(): Promise<Runtime>
  request(command: string | string[], more?: Partial<StartRequest>): StartRequest
  jsonLog(containerId: ContainerId, more?: object): Extract<LogTarget, { path: string }>
  /** What is left on the machine, to compare before and after. */
  leftovers(): object
  dispose(): void
}

const applets = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'head',
  'yes',
  'true',
  'stty',
  'kill',
  'tail',
  'seq',
  'dd',
  'setsid',
  'ls',
]

export function runtimeFixture(supervisorArgs: readonly string[] = []): RuntimeFixture {
  const stray = adoptStrayControllers()
  const directory = mkdtempSync(join(tmpdir(), 'berth-runtime-'))
  const parent = `/berth-test-${process.pid}`
  makeRootfs(join(directory, 'rootfs'))
  const options: OpenRuntimeOptions = {
    runRoot: join(directory, 'run'),
    supervisor: { script: join(import.meta.dirname, '../supervisor/main.ts'), args: supervisorArgs },
    logger: silentLogger,
  }
  const request: RuntimeFixture['request'] = (command, more = {}) => {
    const containerId = newContainerId()
    const args = typeof command === 'string' ? ['sh', '-c', command] : command
    const spec = minimalSpec(join(directory, 'rootfs'), `${parent}/${containerId}`, args)
    return { containerId, spec, io: noInput, log: { driver: 'none' }, ...more }
  }
  return {
    directory,
    options,
    open: () => openRuntime(options),
    request,
    jsonLog: (containerId, more = {}) => ({
      driver: 'json-file',
      path: join(directory, 'logs', containerId, `${containerId}-json.log`),
      maxSizeBytes: 0,
      maxFiles: 1,
      compress: false,
      ...more,
    }),
    leftovers: () => leftovers(options.runRoot, parent),
    dispose() {
      removeCgroups(parent)
      rmSync(directory, { recursive: true })
      releaseStrayControllers(stray, parent)
    },
  }
}

export const noInput: ProcessIo = { tty: false, openStdin: false, stdinOnce: false }

function makeRootfs(path: string): void {
  for (const name of ['bin', 'dev', 'proc', 'tmp']) mkdirSync(join(path, name), { recursive: true })
  copyFileSync('/bin/busybox', join(path, 'bin/busybox'))
  for (const applet of applets) symlinkSync('busybox', join(path, 'bin', applet))
}

const capabilities = ['CAP_KILL', 'CAP_SYS_ADMIN']

function minimalSpec(rootfs: string, cgroupsPath: string, args: string[]): RuntimeSpec {
  return {
    ociVersion: '1.0.2',
    root: { path: rootfs, readonly: true },
    process: minimalProcess(args),
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
    ],
    linux: { cgroupsPath, namespaces: (['pid', 'mount', 'uts', 'ipc', 'network'] as const).map((type) => ({ type })) },
  }
}

export function minimalProcess(args: string[]): RuntimeProcess {
  const sets = { bounding: capabilities, effective: capabilities, permitted: capabilities }
  return { user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/', capabilities: sets }
}

/** An exec of a shell command, or of `args`. */
export function execRequest(containerId: ContainerId, command: string | string[], io: ProcessIo = noInput) {
  const args = typeof command === 'string' ? ['sh', '-c', command] : command
  const execId: ExecId = newExecId()
  return { containerId, execId, process: minimalProcess(args), oomScoreAdj: 0, isUnlimited: true, io }
}

/** The exit of a process, listened for before it is started. */
export function exitOf(runtime: Runtime, containerId: ContainerId, execId?: ExecId): Promise<ExitReport> {
  const { promise, resolve } = Promise.withResolvers<ExitReport>()
  const listening = runtime.onExit((report) => {
    if (report.containerId !== containerId || report.execId !== execId) return
    listening[Symbol.dispose]()
    resolve(report)
  })
  return promise
}

/** Ends and releases what a failed test left running. */
export async function endAll(runtime: Runtime): Promise<void> {
  for (const { containerId, exit } of await runtime.list()) {
    const exited = exitOf(runtime, containerId)
    if (!exit) {
      await runtime.resume(containerId)
      await runtime.kill({ containerId }, 9)
      await exited
    }
    await runtime.release(containerId)
  }
}

/** Everything a stream gives until its end, as latin1 text. */
export async function textOf(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('latin1')
}

/** Reads until `pattern` matches what has come so far. */
export async function readUntil(stream: Duplex, pattern: RegExp): Promise<string> {
  let text = ''
  while (!pattern.test(text)) {
    const chunk = stream.read() as Buffer | null
    if (chunk) text += chunk.toString('latin1')
    else await new Promise((resolve, reject) => stream.once('readable', resolve).once('error', reject))
  }
  return text
}

export const framed = (stream: 1 | 2, text: string): string =>
  `${String.fromCharCode(stream, 0, 0, 0, 0, 0, text.length >> 8, text.length & 255)}${text}`

function leftovers(runRoot: string, parent: string): object {
  const cgroups = detectCgroups().mountPoints.flatMap((mountPoint) => namesIn(mountPoint + parent, true))
  const directories = ['bundles', 'oci'].flatMap((name) => namesIn(join(runRoot, name)))
  const consoles = namesIn(runRoot).filter((name) => name.startsWith('console'))
  const mounts = readMountInfo().filter(({ target }) => target.startsWith(runRoot)).length
  return { cgroups, directories, consoles, mounts }
}

export const nothingLeft = { cgroups: [], directories: [], consoles: [], mounts: 0 }

function namesIn(directory: string, onlyDirectories = false): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => !onlyDirectories || entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

function removeCgroups(parent: string): void {
  for (const mountPoint of detectCgroups().mountPoints) {
    if (existsSync(mountPoint + parent)) rmdirSync(mountPoint + parent)
  }
}

export const readLog = (log: { readonly path: string }): string => readFileSync(log.path, 'utf8')
