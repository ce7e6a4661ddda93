import { ownValue } from '@berth/base'
import { existsSync, statSync } from 'node:fs'
import { cleanPath, type Output, type Secret, type SshForward, type Target, type TargetFields } from '@berth/bake'
import { formatPlatform, hostPlatform, parsePlatform } from '@berth/oci'
import { dirname } from 'node:path'
import { parseAnnotations } from '../buildkit/parse/annotations.ts'
import { parseSize } from '../flags/values.ts'
import { reasonOf } from '../options/key-values.ts'
import { parseUlimit } from '../options/limits.ts'
import { isRemote } from '../buildkit/remote-context.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** A target as it will be built; throws what can be known to fail before anything is built. */
export function checkTarget(target: Target, env: Environment): Target {
  const { fields } = target
  if (fields.context === '-') throw new Error('context from stdin not allowed in bake')
  if (fields.dockerfile === '-') throw new Error('dockerfile from stdin not allowed in bake')
  const size = fields['shm-size']
  if (size !== undefined) checkSize(size)
  for (const platform of platformsOf(fields)) parsePlatform(platform)
  for (const secret of fields.secret ?? []) checkSecret(secret, env)
  for (const forward of sshOf(fields)) checkSsh(forward, env)
  const output = fields.output?.map(checkOutput)
  parseAnnotations(fields.annotations ?? [])
  for (const ulimit of fields.ulimits ?? []) parseUlimit(ulimit)
  return { ...target, fields: { ...fields, context: contextOf(fields), ...(output === undefined ? {} : { output }) } }
}

/** One text may name several; `local` is that of this host. */
export const platformsOf = ({ platforms = [] }: TargetFields): string[] =>
  platforms.flatMap((text) => text.split(',')).map((text) => (text === 'local' ? formatPlatform(hostPlatform()) : text))

/** What is fetched by ssh needs an agent. */
export const sshOf = ({ ssh = [], context = '' }: TargetFields): readonly SshForward[] =>
  ssh.length === 0 && /^(?:ssh:\/\/|git@)/.test(context) ? [{ id: 'default', paths: [] }] : ssh

function contextOf({ context = '.' }: TargetFields): string {
  return isRemote(context) ? context : cleanPath(context.replace(/^cwd:\/\//, ''))
}

function checkSize(size: string): void {
  try {
    parseSize(size)
  } catch {
    throw new Error(`invalid value ${size} for membytes key shm-size`)
  }
}

function checkSecret({ id, src, env: variable }: Secret, env: Environment): void {
  if (id === '') throw new Error('secret missing ID')
  if (variable !== '' || (src === '' && ownValue(env, id) !== undefined)) return
  const path = src === '' ? id : src
  try {
    statSync(path)
  } catch (error) {
    throw new Error(`failed to stat ${path}: stat ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

function checkSsh({ id, paths }: SshForward, env: Environment): void {
  const failed = `failed to convert agent config {${id} [${paths.join(' ')}] false}`
  if (paths.length === 0 && (env['SSH_AUTH_SOCK'] ?? '') === '') {
    throw new Error(`${failed}: invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set`)
  }
  const missing = paths.find((path) => !existsSync(path))
  if (missing === undefined) return
  const reason = `stat ${missing}: no such file or directory`
  throw new Error(`${failed}: failed to convert agent config for ID: ${JSON.stringify(id)}: ${reason}`)
}

/** Archives go to standard output unless they are told where. */
function checkOutput(output: Output): Output {
  const { type, dest } = output
  if (type === 'local' && dest === '') throw new Error('dest is required for local exporter')
  if ((type === 'tar' || type === 'oci') && dest === '') return { ...output, dest: '-' }
  if (['tar', 'oci', 'docker'].includes(type) && dest !== '-' && dest !== '' && !existsSync(dirname(dest))) {
    throw new Error(`failed to open open ${dest}: no such file or directory`)
  }
  return output
}
