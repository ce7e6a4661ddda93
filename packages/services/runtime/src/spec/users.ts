import { type EngineError, invalid } from '@berth/base'
import type { ResolvedUser } from './input.ts'

/** What of an image's files names its users; empty where a file is absent. */
export interface UserFiles {
  readonly passwd: string
  readonly group: string
}

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
}
interface Group {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

const maxId = 2 ** 31 - 1

/**
 * The user that `spec` (`name|uid[:group|gid]`, '' is root) means inside an image, with the supplementary groups of the
 * image's group file and of `groupAdd`. Throws `invalid` in Docker's words.
 */
export function resolveUser(spec: string, files: UserFiles, groupAdd: readonly string[] = []): ResolvedUser {
  const [userPart = '', groupPart = ''] = split2(spec)
  const user = findUser(userPart, files.passwd)
  const { gid, supplementary } = findGroups(groupPart, user, files.group)
  const added = groupAdd.map((name) => findGroup(name, files.group))
  return {
    uid: checkId(user.uid),
    gid: checkId(gid),
    additionalGids: [...new Set([gid, ...supplementary, ...added].map(checkId))],
    home: user.home || '/',
  }
}

function split2(spec: string): [string, string] {
  const colon = spec.indexOf(':')
  return colon < 0 ? [spec, ''] : [spec.slice(0, colon), spec.slice(colon + 1)]
}

/** Numbers are ids, also where a name is made of digits. */
function findUser(part: string, passwd: string): User {
  const uid = part === '' ? 0 : numberOf(part)
  for (const user of parseUsers(passwd)) {
    if (uid === undefined ? user.name === part : user.uid === uid) return user
  }
  if (uid === undefined) throw unknownId('user', part, 'passwd')
  return { name: '', uid: checkId(uid), gid: 0, home: '/' }
}

function findGroups(part: string, user: User, group: string): { gid: number; supplementary: readonly number[] } {
  if (part !== '') return { gid: findGroup(part, group), supplementary: [] }
  if (user.name === '') return { gid: user.gid, supplementary: [] }
  const supplementary: number[] = []
  for (const { gid, members } of parseGroups(group)) if (members.includes(user.name)) supplementary.push(gid)
  return { gid: user.gid, supplementary }
}

function findGroup(part: string, group: string): number {
  const gid = numberOf(part)
  if (gid !== undefined) return checkId(gid)
  for (const candidate of parseGroups(group)) if (candidate.name === part) return candidate.gid
  throw unknownId('group', part, 'group')
}

/** passwd(5); lines that are none are passed over. */
function* parseUsers(text: string): Generator<User> {
  for (const fields of lines(text)) {
    const [name = '', , uid = '', gid = '', , home = ''] = fields
    if (numberOf(uid) === undefined || numberOf(gid) === undefined) continue
    yield { name, uid: Number(uid), gid: Number(gid), home }
  }
}

/** group(5) */
function* parseGroups(text: string): Generator<Group> {
  for (const fields of lines(text)) {
    const [name = '', , gid = '', members = ''] = fields
    if (numberOf(gid) === undefined) continue
    yield { name, gid: Number(gid), members: members.split(',') }
  }
}

function* lines(text: string): Generator<string[]> {
  let from = 0
  while (from < text.length) {
    const newline = text.indexOf('\n', from)
    const to = newline < 0 ? text.length : newline
    const line = text.slice(from, to).trim()
    if (line !== '' && !line.startsWith('#')) yield line.split(':')
    from = to + 1
  }
}

function numberOf(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

/** Ids past 2^31 - 1 wrap in some programs and then may mean root. */
function checkId(id: number): number {
  if (id >= 0 && id <= maxId) return id
  throw invalid(`uids and gids must be in range 0-${maxId}`)
}

function unknownId(kind: 'user' | 'group', name: string, file: string): EngineError {
  return invalid(`unable to find ${kind} ${name}: no matching entries in ${file} file`)
}
