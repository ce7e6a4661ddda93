import type { Exec } from '@berth/containers'
import type { ExecInspectResponse } from '@berth/engine-api'

/** `GET /exec/{id}/json`. */
export function presentExec({
  id,
  containerId,
  running,
  exitCode,
  pid,
  config,
  escapeKeys,
}: Exec): ExecInspectResponse {
  const [entrypoint = '', ...args] = config.cmd
  return {
    ID: id,
    Running: running,
    ExitCode: exitCode,
    ProcessConfig: {
      tty: config.tty,
      entrypoint,
      arguments: args,
      privileged: config.privileged,
      ...(config.user ? { user: config.user } : {}),
    },
    OpenStdin: config.attachStdin,
    OpenStderr: config.attachStderr,
    OpenStdout: config.attachStdout,
    CanRemove: false,
    ContainerID: containerId,
    DetachKeys: escapeKeys ?? '',
    Pid: pid,
  }
}
