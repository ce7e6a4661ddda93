import { posix } from 'node:path'
import { type BuilderStyle, commandLine, type RunInstruction } from '@berth/dockerfile'
import { invalid, messageOf } from '@berth/base'
import type { BuildRequest } from '../builder.ts'
import type { Context } from '../context.ts'
import { explainExec } from '../exec/explain-exec.ts'
import { runProcess, type RunProcess } from '../exec/run-process.ts'
import { changeFileSystem, type Writable } from '../exec/writable.ts'
import { chainOf } from '../filesystem.ts'
import { RunFailedError } from '../run-failed-error.ts'
import { digestOf, type StageState } from '../stages/stage-state.ts'
import { finishStep } from './finish-step.ts'
import { planRunMounts, prepareRunMounts } from './run-mounts.ts'
import { mountSource } from './mount-text.ts'
import { solveStep, takeDefined } from './solve-step.ts'
import type { PlannedStep, StageContext, StepEvent } from './step-context.ts'

/** RUN: a process in the file system so far; what it changes becomes a layer. */
export async function runStep(
  stage: StageContext,
  planned: PlannedStep,
  instruction: RunInstruction,
): Promise<StageState> {
  const { state } = planned
  const { build, args } = stage
  const { config } = state.draft
  requireSupported(instruction)
  requireEntitled(build.request, instruction)
  const { args: command, script } = commandOf(instruction, config, build.request.style)
  const environment = args.environment(config)
  const takesFromStages = instruction.mounts.some((text) => mountSource(text) !== undefined)
  const createdBy = build.words.run(command, args.forHistory(config))
  const known = takesFromStages ? await takeDefined(stage, planned, () => createdBy) : undefined
  if (known) return known
  const mounts = await planRunMounts(stage, state, instruction)
  const settings = build.request.run
  const network = instruction.network === 'default' ? settings.network : instruction.network
  const process = {
    args: command,
    env: [...args.proxies(config), ...environment],
    workingDirectory: posix.resolve('/', config.WorkingDir ?? ''),
    user: config.User ?? '',
    network,
    hostname: hostnameOf(build.request),
    settings,
  }
  const key = digestOf(
    'run',
    chainOf(state.fileSystem) ?? '',
    ...[command, environment, mounts.map(({ key: mountKey }) => mountKey)].map((list) => JSON.stringify(list)),
    script?.content ?? '',
    process.workingDirectory,
    process.user,
    network,
    process.hostname,
    JSON.stringify([settings.extraHosts, settings.shmSizeBytes]),
  )
  const exec = (emit: (event: StepEvent) => void, signal: AbortSignal) =>
    changeFileSystem(build.context, state.fileSystem, async (writable) => {
      await using prepared = await prepareRunMounts(stage, { mounts, script, rootPath: writable.rootPath })
      const whole = { ...process, env: [...process.env, ...prepared.env], mounts: prepared.mounts }
      const run = () => runTelling(build.context, { writable, process: whole, platform: state.platform }, emit, signal)
      const exitCode = await (build.request.style === 'classic' ? run() : tellingStart(command.join(' '), run, emit))
      if (exitCode !== 0) throw new RunFailedError(command.join(' '), exitCode)
    })
  const outcome = await solveStep(stage, planned, { key, exec, takesFromStages })
  return finishStep(stage, planned, { outcome, createdBy, draft: state.draft, isEmpty: false, takesFromStages })
}

interface Run {
  readonly writable: Writable
  readonly process: RunProcess
  readonly platform: StageState['platform']
}

/** Runs, and tells of what happens; resolves to the exit code. */
async function runTelling(
  context: Context,
  { writable, process, platform }: Run,
  emit: (event: StepEvent) => void,
  signal: AbortSignal,
): Promise<number> {
  return await runProcess(context, writable, process, {
    signal,
    onStart: (containerId) => emit({ kind: 'running', containerId }),
    onOutput: (stream, bytes) => {
      const explained = stream === 2 ? explainExec(bytes, platform) : undefined
      emit({ kind: 'output', stream, bytes: explained === undefined ? bytes : Buffer.from(explained) })
    },
  })
}

const hostnameOf = ({ style, args }: BuildRequest): string =>
  style === 'classic' ? '' : args['BUILDKIT_SANDBOX_HOSTNAME'] || 'buildkitsandbox'

/** BuildKit tells of a program that does not start as it does of one that fails. */
async function tellingStart(
  command: string,
  run: () => Promise<number>,
  emit: (event: StepEvent) => void,
): Promise<number> {
  try {
    return await run()
  } catch (error) {
    const message = messageOf(error)
    if (message.startsWith('unable to find ')) {
      throw invalid(`process ${JSON.stringify(command)} did not complete successfully: ${message}`, error)
    }
    const [, name, reason] = /OCI runtime create failed: (\w+) create failed: ([^]*)$/.exec(message) ?? []
    if (reason === undefined) throw error
    emit({ kind: 'output', stream: 2, bytes: Buffer.from(`${name} run failed: ${reason}\n`) })
    return 1
  }
}

function requireSupported({ security, devices }: RunInstruction): void {
  if (security === 'insecure') {
    throw invalid('granting entitlement security.insecure is not allowed by build daemon configuration')
  }
  if (devices.length > 0) throw invalid(`device ${devices[0]} is not allowed: builds get no devices`)
}

function requireEntitled({ entitlements }: BuildRequest, { network }: RunInstruction): void {
  if (network === 'host' && !entitlements.includes('network.host')) throw invalid('network.host is not allowed')
}

interface RunCommand {
  readonly args: readonly string[]
  /** A file that is to be there. */
  readonly script?: { readonly path: string; readonly content: string }
}

/** The command with its documents: one alone is the script, others are for the shell to read. */
function commandOf(
  { command, files, line }: RunInstruction,
  config: StageState['draft']['config'],
  style: BuilderStyle,
): RunCommand {
  // BuildKit has a shell do nothing at all.
  const isEmpty = style === 'buildkit' && command.isShell && command.args.length === 0
  if (files.length === 0) return { args: commandLine(config, isEmpty ? { args: [''], isShell: true } : command) }
  if (!command.isShell) throw invalid('parsing produced an invalid run command')
  const [only] = files
  if (files.length > 1 || !only || !isOnlyHeredoc(line.rest)) {
    const text = line.rest + files.map(({ name, written }) => `\n${written}${name}`).join('')
    return { args: commandLine(config, { args: [text], isShell: true }) }
  }
  const { name, content } = only
  if (!content.startsWith('#!')) return { args: commandLine(config, { args: [content], isShell: true }) }
  const path = `/dev/pipes/${name.replaceAll('/', '_')}`
  return { args: commandLine(config, { args: [path], isShell: true }), script: { path, content } }
}

const isOnlyHeredoc = (text: string): boolean => /^\d*<<-?(['"]?)[^\s<'"]+\1$/.test(text)
