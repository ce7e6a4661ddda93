import { EngineError, messageOf } from '@berth/base'
import type { Duplex } from 'node:stream'
import { Control, grpcCode, GrpcError, GrpcRouter, LLBBridge, serveConnection } from '@berth/buildkit-protocol'
import { controlService } from './control/control.ts'
import { FinishedBuilds, type HistoryLimits } from './control/finished-builds.ts'
import { History } from './control/history.ts'
import { bridgeService } from './gateway/bridge.ts'
import { CleanUps } from './jobs/clean-ups.ts'
import { Jobs } from './jobs/jobs.ts'
import { Outcomes } from './jobs/outcomes.ts'
import type { Services } from './services.ts'
import type { SessionIdentity } from './session/session.ts'
import { Sessions } from './session/sessions.ts'

export interface BuildkitOptions extends Pick<Services, 'builder' | 'images' | 'worker' | 'entitlements' | 'logger'> {
  /** How many builds are remembered, and how long. */
  readonly historyLimits: () => HistoryLimits
}

/** What BuildKit's clients find behind `/grpc` and `/session`, on connections that have left HTTP/1.1. */
export interface Buildkit extends AsyncDisposable {
  /** Answers calls until the client is gone. */
  serve(socket: Duplex): Promise<void>
  /** Throws `invalid` for an id that cannot be one of a new session. */
  requireFree(sessionId: string): void
  /** Calls the client, when a build wants something of it. Owns the connection. */
  addSession(identity: SessionIdentity, socket: Duplex): void
}

export function openBuildkit(options: BuildkitOptions): Buildkit {
  const sessions = new Sessions()
  const outcomes = new Outcomes()
  const jobs = new Jobs()
  const cleanUps = new CleanUps(options.logger)
  const { historyLimits, ...given } = options
  const history = new History(new FinishedBuilds(options.builder.buildRecords, historyLimits), cleanUps)
  const services: Services = { ...given, sessions, outcomes, jobs, cleanUps, history }
  const router = new GrpcRouter((error) => explain(error, services))
  router.add(Control, controlService(services))
  router.add(LLBBridge, bridgeService(services))
  return {
    serve: (socket) => serveConnection(socket, router),
    requireFree: (id) => sessions.requireFree(id),
    addSession: (identity, socket) => sessions.add(identity, socket),
    [Symbol.asyncDispose]: async () => {
      jobs.cancelAll()
      sessions[Symbol.dispose]()
      await cleanUps[Symbol.asyncDispose]()
      await outcomes[Symbol.asyncDispose]()
    },
  }
}

/** What users cause is told; anything else is a bug, and logged. */
function explain(error: unknown, { logger }: Services): GrpcError {
  if (error instanceof EngineError) return new GrpcError(grpcCode.unknown, error.message)
  if (error instanceof Error && error.name === 'AbortError')
    return new GrpcError(grpcCode.cancelled, 'context canceled')
  logger.error({ err: error }, 'a call of BuildKit failed')
  return new GrpcError(grpcCode.unknown, messageOf(error))
}
