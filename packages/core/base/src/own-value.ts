/**
 * What `record` has under a key that somebody else has chosen: `constructor` and `__proto__` are no entries of an object
 * for being inherited by it.
 */
export const ownValue = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined
