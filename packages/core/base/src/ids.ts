import { randomBytes } from 'node:crypto'

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
    const id = randomBytes(32).toString('hex')
    if (!/^\d{12}/.test(id)) return id
  }
}

export const newContainerId = (): ContainerId => randomId() as ContainerId
export const newExecId = (): ExecId => randomId() as ExecId
export const newNetworkId = (): NetworkId => randomId() as NetworkId

/** The 12 digits that tools print. */
export const shortId = (id: string): string => id.slice(0, 12)
