import type { Cli } from '../../cli.ts'
import { describeFailure, StatusError } from '../../errors.ts'

/** Requests that are on their way at the same time. */
const parallel = 50

/**
 * Does the same to every name, many at once. Prints each name (or what the action returns, if not null) in order as it succeeds;
 * fails at the end with all messages.
 */
export async function forEachName(
  cli: Cli,
  names: readonly string[],
  action: (name: string) => Promise<string | null | void>,
): Promise<void> {
  const failures: string[] = []
  for (let at = 0; at < names.length; at += parallel) {
    const batch = names.slice(at, at + parallel)
    const results = await Promise.allSettled(batch.map(action))
    results.forEach((result, index) => {
      if (result.status === 'rejected') failures.push(describeFailure(result.reason))
      else if (result.value !== null) cli.out(`${result.value ?? batch[index]}\n`)
    })
  }
  if (failures.length > 0) throw new StatusError(1, failures.join('\n'))
}
