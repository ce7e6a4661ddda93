import { humanDuration } from '@berth/base'
import { zeroTime } from '@berth/base'
import type { ContainerState } from '@berth/containers'

/** The `Status` of a list: `Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`. */
export function statusText(state: ContainerState, nowMs: number): string {
  const since = (time: string) => humanDuration(nowMs - Date.parse(time))
  switch (state.status) {
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(state)}`
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    case 'exited':
      return state.finishedAt === zeroTime ? '' : `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`
  }
}

function healthText({ health }: ContainerState): string {
  if (!health) return ''
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`
}
