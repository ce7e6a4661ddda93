import type { BuildStep } from '../builder.ts'

/** What `du` says of a step. */
export const cacheDescription = ({ label, text }: BuildStep): string => `[${label}] ${text.slice(0, 500)}`
