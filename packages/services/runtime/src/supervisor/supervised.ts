import type { ContainerId, ExecId } from '@berth/base'
import type { ProcessTarget } from '../protocol/messages.ts'
import type { ExitReport, SupervisedContainer } from '../runtime.ts'
import type { Relay } from '../stdio/relay.ts'
import type { Launched } from './launch.ts'

/** A process being started, running, or ended and not yet released. */
export interface SupervisedProcess {
  readonly target: ProcessTarget
  readonly relay: Relay
  /** Undefined while it is being started. */
  launched?: Launched
  /** Set as soon as it is reaped: its pid means nothing any more. */
  reaped: boolean
  /** Set when its output is complete. */
  exit?: ExitReport
}

export interface Supervised {
  readonly init: SupervisedProcess
  readonly execs: Map<ExecId, SupervisedProcess>
  readonly cgroupsPath?: string
  readonly sharesPids: boolean
  oomWatch?: Disposable
}

/** What `list` answers of a container whose first process was started. */
export function summary({ init, execs }: Supervised): SupervisedContainer[] {
  if (!init.launched) return []
  const described = [...execs].flatMap(([execId, { launched, exit }]) =>
    launched ? [{ execId, pid: launched.pid, exit }] : [],
  )
  return [{ containerId: init.target.containerId, ...init.launched, exit: init.exit, execs: described }]
}

/** Running, being started, or with output still to come: not to be interrupted. */
export function isBusy({ init, execs }: Supervised): boolean {
  return !init.exit || [...execs.values()].some(({ exit }) => !exit)
}

export type SupervisedContainers = Map<ContainerId, Supervised>
