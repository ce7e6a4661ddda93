import { closeSync } from 'node:fs'

const firstFd = 3
const variables = ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']

/**
 * The descriptors of the sockets that the service manager listens on for process `pid` (sd_listen_fds(3)). What tells of
 * them is taken out of `environment`: a child would take them for its own.
 */
export function takePassedSockets(environment: NodeJS.ProcessEnv, pid: number): number[] {
  const [forPid, , count = ''] = variables.map((name) => environment[name])
  for (const name of variables) delete environment[name]
  if (forPid !== String(pid) || !/^\d{1,4}$/.test(count)) return []
  return Array.from({ length: Number(count) }, (_, index) => firstFd + index)
}

/** What has another program take the same sockets, in the same process. */
export const passedAgain = (sockets: readonly number[], pid: number): Record<string, string> =>
  sockets.length === 0 ? {} : { LISTEN_PID: String(pid), LISTEN_FDS: String(sockets.length) }

/** Closes what was passed and nobody asks for: who connects there learns that nobody answers. */
export function closeOthers(sockets: readonly number[], used: readonly number[]): void {
  for (const fd of sockets) if (!used.includes(fd)) closeSync(fd)
}
