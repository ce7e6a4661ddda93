import { formatGoDuration, messageOf, newExecId, nowText, settlesWithin } from '@berth/base'
import { announce } from './announce.ts'
import { collectOutput } from './collect-output.ts'
import type { Container, ExecConfig, HealthResult } from './container.ts'
import type { Context } from './context.ts'
import { commandText } from './exec.ts'
import { buildExecProcess, targetOfExec } from './exec-process.ts'
import type { HealthSettings } from './plan/health.ts'

const outputLimitBytes = 4096
const sigkill = 9

/** One run of the probe; a probe that could not run counts as failed and says why. */
export async function probeHealth(
  context: Context,
  container: Container,
  settings: HealthSettings,
): Promise<HealthResult> {
  const start = nowText()
  try {
    return { start, ...(await run(context, container, settings)), end: nowText() }
  } catch (error) {
    return { start, end: nowText(), exitCode: -1, output: messageOf(error) }
  }
}

async function run(context: Context, container: Container, settings: HealthSettings) {
  const target = { containerId: container.id, execId: newExecId() }
  const config = probeExec(settings)
  const process = await buildExecProcess(context, container, config)
  context.execs.insert({ id: target.execId, containerId: container.id, running: false, exitCode: null, pid: 0, config })
  for (const action of ['exec_create', 'exec_start']) {
    announce(context, container, `${action}: ${commandText(config)}`, { execID: target.execId })
  }
  const io = { tty: false, openStdin: false, stdinOnce: false }
  const request = { ...target, ...targetOfExec(container), process, io }
  const { stream, started } = await context.runtime.execAttached(request, { stdin: false, stdout: true, stderr: true })
  const output = collectOutput(stream, outputLimitBytes)
  try {
    await started
  } catch (error) {
    context.execs.ended(target.execId, -1)
    stream.destroy()
    throw error
  }
  const ended = Promise.all([context.execs.whenEnded(target.execId), output.ended])
  if (await settlesWithin(ended, settings.timeoutMs)) {
    return { exitCode: context.execs.byId(target.execId)?.exitCode ?? -1, output: output.text() }
  }
  await context.runtime.kill(target, sigkill).catch(() => undefined)
  stream.destroy()
  const limit = formatGoDuration(settings.timeoutMs * 1e6)
  return { exitCode: -1, output: `Health check exceeded timeout (${limit}): ${output.text()}` }
}

function probeExec({ command }: HealthSettings): ExecConfig {
  return {
    user: '',
    privileged: false,
    tty: false,
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
    env: [],
    workingDir: '',
    cmd: command,
  }
}
