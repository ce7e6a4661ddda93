import { readFileSync } from 'node:fs'
import { StatusError } from '../errors.ts'
import { readFailure } from './key-values.ts'

export interface SecurityFlags {
  readonly options: string[]
  /** `systempaths=unconfined`: no path is masked or read-only. */
  readonly unconfinedPaths: boolean
}

/** Reads the seccomp profiles that `--security-opt` names, and sorts out `systempaths`. */
export function planSecurity(texts: readonly string[]): SecurityFlags {
  const kept = texts.filter((text) => text !== 'systempaths=unconfined')
  return { options: kept.map(expandOption), unconfinedPaths: kept.length < texts.length }
}

function expandOption(text: string): string {
  const match = /^([^=:]+)[=:]([\s\S]*)$/.exec(text)
  if (match === null) {
    if (text === 'no-new-privileges' || text === 'disable') return text
    throw new StatusError(125, `Invalid --security-opt: ${JSON.stringify(text)}`)
  }
  const [, name = '', value = ''] = match
  if (name !== 'seccomp' || value === 'unconfined' || value === 'builtin') return text
  return `${name}=${readProfile(value)}`
}

function readProfile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new StatusError(125, `opening seccomp profile (${path}) failed: ${readFailure(path, error)}`)
  }
  try {
    return JSON.stringify(JSON.parse(text))
  } catch (error) {
    throw new StatusError(125, `compacting json for seccomp profile (${path}) failed: ${String(error)}`)
  }
}
