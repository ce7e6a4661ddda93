import { invalid } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'
import type { RuntimeProcess } from '@berth/oci'
import {
  composeEnv,
  type ExecTarget,
  processCapabilities,
  processLimits,
  readUserFiles,
  replaceEnv,
  type ResolvedUser,
  resolveCapabilities,
  resolveUser,
} from '@berth/runtime'
import type { Container, ExecConfig } from './container.ts'
import { linkedEnvironment } from './links.ts'
import type { Context } from './context.ts'
import { parseSecurityOptions } from './plan/security-options.ts'
import { containerUlimits } from './spec-input.ts'

/** The process of an exec: the container's rights and environment, with what the exec asks for. */
export async function buildExecProcess(
  context: Context,
  container: Container,
  exec: ExecConfig,
): Promise<RuntimeProcess> {
  const { config, hostConfig } = container
  requireValidEnv(exec.env)
  const cwd = exec.workingDir || config.WorkingDir || '/'
  if (!cwd.startsWith('/')) throw invalid('OCI runtime exec failed: exec failed: Cwd must be an absolute path')
  const { uid, gid, additionalGids, home } = resolveExecUser(container, exec)
  const own = replaceEnv(config.Env, exec.env)
  const linked = linkedEnvironment(context, container)
  const env = composeEnv({ hostname: config.Hostname, terminal: exec.tty, linked, own, home })
  const security = parseSecurityOptions(hostConfig.SecurityOpt ?? [], context.defaults())
  return {
    terminal: exec.tty,
    ...(exec.consoleSize && { consoleSize: { height: exec.consoleSize.rows, width: exec.consoleSize.columns } }),
    user: { uid, gid, additionalGids: [...additionalGids] },
    args: [...exec.cmd],
    env,
    cwd,
    capabilities: processCapabilities(capabilities(context, container, exec)),
    ...processLimits(containerUlimits(context, container)),
    oomScoreAdj: hostConfig.OomScoreAdj,
    noNewPrivileges: security.noNewPrivileges,
    ...(isConfined(context, container) && { apparmorProfile: container.appArmorProfile }),
  }
}

/** What the runtime is told of the container, beside the process itself. */
export function targetOfExec({ id: containerId, hostConfig }: Container): ExecTarget & { oomScoreAdj: number } {
  const { Runtime: runtimeName, OomScoreAdj: oomScoreAdj } = hostConfig
  return { containerId, runtimeName, oomScoreAdj, isUnlimited: isUnlimited(hostConfig) }
}

/** Whether nothing of what an OCI runtime uses in the container's cgroup is missing to the container, or to the runtime. */
function isUnlimited({ Memory, PidsLimit, NanoCpus, CpuQuota, CpuRealtimeRuntime }: HostConfig): boolean {
  const limits = [Memory, PidsLimit ?? 0, NanoCpus, CpuQuota, CpuRealtimeRuntime]
  return limits.every((limit) => limit <= 0)
}

/** The user of an exec, looked up in the files that the running container has. Throws `invalid` in Docker's words. */
export function resolveExecUser({ config, hostConfig, state }: Container, exec: ExecConfig): ResolvedUser {
  const files = readUserFiles(`/proc/${state.pid}/root`)
  return resolveUser(exec.user || config.User, files, hostConfig.GroupAdd ?? [])
}

function capabilities(context: Context, { hostConfig }: Container, exec: ExecConfig): string[] {
  const isPrivileged = exec.privileged || hostConfig.Privileged
  const { CapAdd, CapDrop } = hostConfig
  const request = isPrivileged
    ? { isPrivileged, capAdd: [], capDrop: [] }
    : { isPrivileged, capAdd: CapAdd ?? [], capDrop: CapDrop ?? [] }
  return resolveCapabilities(request, context.facts.boundingCapabilities)
}

/** Also of a privileged exec: its container's profile holds, as in Docker. */
const isConfined = ({ facts }: Context, { appArmorProfile }: Container): boolean =>
  facts.hasAppArmor && appArmorProfile !== ''

function requireValidEnv(env: readonly string[]): void {
  for (const entry of env)
    if (entry === '' || entry.startsWith('=')) throw invalid(`invalid environment variable: ${entry}`)
}
