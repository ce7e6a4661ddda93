import { readUserFiles, resolveUser } from '@berth/runtime'

/** `--chown`: names are looked up in the tree; without a group, the number of the user is the group's too. */
export function resolveOwner(text: string, rootPath: string): { readonly uid: number; readonly gid: number } {
  const [user = '', group] = text.split(':', 2)
  const { uid, gid } = resolveUser(text, readUserFiles(rootPath))
  const isNumber = /^\d+$/.test(user)
  return { uid, gid: group === undefined && isNumber ? uid : gid }
}
