/** A compose file that cannot be used. */
export class ComposeError extends Error {}
