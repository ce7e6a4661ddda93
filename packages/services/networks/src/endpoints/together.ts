/**
 * `work` on this thread while pool threads do what was asked of them before. It begins at once; all is over afterwards, even if
 * something has failed. Throws the first failure, in the order of the arguments.
 */
export async function together(
  requests: readonly (Promise<void> | undefined)[],
  work?: () => void | Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled([...requests, work && Promise.try(work)])
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
