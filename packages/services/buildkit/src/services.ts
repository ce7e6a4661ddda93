import type { Logger } from '@berth/base'
import type { Builder, Entitlement } from '@berth/builder'
import type { Images } from '@berth/images'
import type { WorkerFacts } from './control/worker.ts'
import type { History } from './control/history.ts'
import type { CleanUps } from './jobs/clean-ups.ts'
import type { Jobs } from './jobs/jobs.ts'
import type { Outcomes } from './jobs/outcomes.ts'
import type { Sessions } from './session/sessions.ts'

/** What the calls of clients work with. */
export interface Services {
  readonly builder: Builder
  readonly images: Pick<Images, 'list' | 'resolve' | 'remove' | 'save' | 'push' | 'openRepository' | 'publish' | 'pack'>
  readonly sessions: Sessions
  readonly jobs: Jobs
  readonly outcomes: Outcomes
  readonly cleanUps: CleanUps
  readonly history: History
  readonly worker: () => WorkerFacts
  /** What clients may grant their builds. */
  readonly entitlements: () => readonly Entitlement[]
  readonly logger: Logger
}
