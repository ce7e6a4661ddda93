import { randomFillSync } from 'node:crypto'

declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** 64 lower-case hex digits. */
export type ContainerId = Brand<string, 'ContainerId'>
/** 64 lower-case hex digits. */
export type ExecId = Brand<string, 'ExecId'>
/** 64 lower-case hex digits. */
export type NetworkId = Brand<string, 'NetworkId'>

/** 64 random hex digits whose first 12 are not all decimal, as Docker wants of a name that may stand for a host name. */
export function randomId(): string {
  for (;;) {
    const id = randomDigits()
    if (!/^\d{12}/.test(id)) return id
  }
}

const idBytes = 32
const pool = Buffer.alloc(128 * idBytes)
let used = pool.length

/** Of a pool that is filled for many ids at once: to ask the system for each took longer than all else of an id. */
function randomDigits(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const start = used
  used += idBytes
  return pool.toString('hex', start, used)
}

export const newContainerId = (): ContainerId => randomId() as ContainerId
export const newExecId = (): ExecId => randomId() as ExecId
export const newNetworkId = (): NetworkId => randomId() as NetworkId

/** The 12 digits that tools print. */
export const shortId = (id: string): string => id.slice(0, 12)
