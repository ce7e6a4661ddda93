import { grpcCode, GrpcError } from '@berth/buildkit-protocol'
import { Job } from './job.ts'

/** As many builds may be under way. */
const maxJobs = 1000

/** What was only mentioned goes after this; what has ended may still be asked for its progress. */
const lingerMs = 10_000

/** The builds that clients have mentioned. */
export class Jobs {
  readonly #jobs = new Map<string, Job>()
  readonly #running = new Set<Job>()

  /** The job of a reference, made when it is mentioned for the first time. */
  mention(ref: string): Job {
    const known = this.#jobs.get(ref)
    if (known) return known
    if (ref === '' || ref.length > 256) throw new GrpcError(grpcCode.invalidArgument, 'the build has no reference')
    if (this.#jobs.size >= maxJobs) throw new GrpcError(grpcCode.resourceExhausted, `more than ${maxJobs} builds`)
    const job = new Job(ref)
    this.#jobs.set(ref, job)
    setTimeout(() => {
      if (!job.isStarted) this.#forget(job)
    }, lingerMs).unref()
    return job
  }

  /** Counts a job that begins; returns how many run. */
  begin(job: Job): number {
    return this.#running.add(job).size
  }

  /** Forgets a job that has ended, after a while; returns how many still run. */
  release(job: Job): number {
    this.#running.delete(job)
    setTimeout(() => this.#forget(job), lingerMs).unref()
    return this.#running.size
  }

  cancelAll(): void {
    for (const job of this.#jobs.values()) job.cancel()
  }

  #forget(job: Job): void {
    job.progress.end()
    if (this.#jobs.get(job.ref) === job) this.#jobs.delete(job.ref)
  }
}
