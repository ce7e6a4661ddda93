import { invalid, messageOf } from '@berth/base'
import { readUserFiles, resolveUser } from '@berth/runtime'
import type { BuilderStyle } from '@berth/dockerfile'

interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * `--chown`: names are looked up in the tree; without a group, the number of the user is the group's too. What BuildKit
 * does not find there is root's.
 */
export function resolveOwner(text: string, rootPath: string, style: BuilderStyle): Owner {
  const [user = '', group] = text.split(':', 2)
  try {
    const { uid, gid } = resolveUser(text, readUserFiles(rootPath))
    const isNumber = /^\d+$/.test(user)
    return { uid, gid: group === undefined && isNumber ? uid : gid }
  } catch (error) {
    const [, kind, name] = /^unable to find (user|group) (.*): no matching entries/.exec(messageOf(error)) ?? []
    if (kind === undefined) throw error
    if (style === 'buildkit') return { uid: 0, gid: 0 }
    const [number, word] = kind === 'user' ? ['uid', 'user'] : ['gid', 'group']
    const reason = `can't find ${number} for ${word} ${name}: no such ${word}: ${name}`
    throw invalid(`unable to convert uid/gid chown string to host mapping: ${reason}`, error)
  }
}
