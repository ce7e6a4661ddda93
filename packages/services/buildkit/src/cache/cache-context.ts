import type { Job } from '../jobs/job.ts'
import type { Services } from '../services.ts'
import type { importCaches } from './import-caches.ts'

/** What reading and writing of caches works with, for the client of one build. */
export const cacheContext = (
  { builder, images, sessions }: Services,
  { progress, signal }: Job,
  sessionId: string,
): Parameters<typeof importCaches>[0] => ({
  builder,
  images,
  progress,
  signal,
  session: () => sessions.get(sessionId, signal),
})
