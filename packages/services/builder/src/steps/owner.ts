import { invalid, messageOf } from '@berth/base'
import { readUserFiles, resolveUser } from '@berth/runtime'
import type { BuilderStyle } from '@berth/dockerfile'

interface Owner {
  readonly uid: number
  readonly gid: number
}

type UserFiles = ReturnType<typeof readUserFiles>

/**
 * `--chown`, and the image's user as the owner of what WORKDIR makes: names are looked up in the tree; without a group, the
 * number of the user is the group's too. A user that BuildKit does not find there is root, a group the user's own.
 */
export function resolveOwner(text: string, rootPath: string, style: BuilderStyle): Owner {
  const files = readUserFiles(rootPath)
  return style === 'classic' ? classicOwner(text, files) : buildkitOwner(text, files)
}

function buildkitOwner(text: string, files: UserFiles): Owner {
  const [user = '', group] = text.split(':', 2)
  const owner = find(user, files) ?? { uid: 0, gid: 0 }
  const own = isNumber(user) ? { uid: owner.uid, gid: owner.uid } : owner
  if (group === undefined) return own
  return { uid: own.uid, gid: group === '' ? 0 : (find(`0:${group}`, files)?.gid ?? own.gid) }
}

/** Undefined when no file has the name. */
function find(text: string, files: UserFiles): Owner | undefined {
  try {
    const { uid, gid } = resolveUser(text, files)
    return { uid, gid }
  } catch (error) {
    if (notFound.test(messageOf(error))) return undefined
    throw error
  }
}

const notFound = /^unable to find (user|group) (.*): no matching entries/

function classicOwner(text: string, files: UserFiles): Owner {
  const [user = '', group] = text.split(':', 2)
  try {
    const { uid, gid } = resolveUser(text, files)
    return { uid, gid: group === undefined && isNumber(user) ? uid : gid }
  } catch (error) {
    const [, kind, name] = notFound.exec(messageOf(error)) ?? []
    if (kind === undefined) throw error
    const [number, word] = kind === 'user' ? ['uid', 'user'] : ['gid', 'group']
    const reason = `can't find ${number} for ${word} ${name}: no such ${word}: ${name}`
    throw invalid(`unable to convert uid/gid chown string to host mapping: ${reason}`, error)
  }
}

const isNumber = (text: string): boolean => /^\d+$/.test(text)
