import { type EngineError, invalid } from '@berth/base'

/** A policy says what a build may take: without it, more would be taken than somebody wants. */
export const sourcePolicyRefusal = (): EngineError => invalid('source policies are not supported')
