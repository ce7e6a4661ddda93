import { forbidden, invalid } from '@berth/base'
import type { NetworkRecord } from '../model.ts'

// Docker's words.
export const sharedNamespace =
  'container sharing network namespace with another container or host cannot be connected to any other network'
export const privateMode =
  'container cannot be connected to multiple networks with one of the networks in private (none) mode'

/** Throws, in Docker's words, why a container that is in the networks named `others` cannot be in this one too. */
export function checkJoin({ driver, configOnly }: NetworkRecord, others: readonly string[]): void {
  if (others.includes('host')) throw forbidden(sharedNamespace)
  if (driver === 'host') {
    throw invalid('cannot connect container to host network - container must be created in host network mode')
  }
  const isPrivate = driver === 'null' && !configOnly
  if (others.includes('none') || (isPrivate && others.length > 0)) throw forbidden(privateMode)
}
