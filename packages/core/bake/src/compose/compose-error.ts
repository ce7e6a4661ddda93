/** A compose file that cannot be used. */
export class ComposeError extends Error {}

/** Its parts do not fit together. */
export class ConsistencyError extends ComposeError {}
