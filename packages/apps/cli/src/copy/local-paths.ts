import { codeOf } from '@berth/base'
import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { reasonOf } from '../options/key-values.ts'
import {
  cleanPath,
  type CopyInfo,
  endsInSlash,
  keepEnd,
  lastName,
  rebaseLink,
  splitDirectoryEntry,
} from './copy-paths.ts'

const maxLinks = 10

/** An absolute local path, with the end that it was given. */
export const localPath = (path: string): string => keepEnd(resolve(path), path)

/** What is copied from here. Links in front of the last name are followed, a last one with `followLink`. */
export function localSource(path: string, followLink: boolean): CopyInfo {
  const { path: resolved, rebaseName } = followLink ? followed(path) : parentFollowed(path)
  return { path: resolved, exists: true, isDirectory: lstat(resolved).isDirectory(), rebaseName }
}

function followed(path: string): { path: string; rebaseName: string } {
  return rebaseLink(
    path,
    asking('lstat', path, () => realpathSync(path)),
  )
}

function parentFollowed(path: string): { path: string; rebaseName: string } {
  const slash = path.lastIndexOf('/')
  const parent = asking('lstat', path, () => realpathSync(path.slice(0, slash) || '/'))
  const resolved = `${parent === '/' ? '' : parent}/${path.slice(slash + 1)}`
  const isRenamed = endsInSlash(path) && lastName(path) !== lastName(resolved)
  return { path: resolved, rebaseName: isRenamed ? lastName(path) : '' }
}

/** Where a copy goes to here: the target of links, whether it exists or not. */
export function localDestination(path: string): CopyInfo {
  let at = path
  for (let links = 0; links <= maxLinks; links++) {
    const status = lstatOrNone(at)
    if (!status) return absentDestination(at)
    if (!status.isSymbolicLink()) return { path: at, exists: true, isDirectory: status.isDirectory(), rebaseName: '' }
    const target = readlinkSync(at.replace(/\/+$/, ''))
    at = isAbsolute(target) ? target : join(splitDirectoryEntry(at).directory, target)
  }
  throw new Error(`too many symlinks in ${path}`)
}

function absentDestination(path: string): CopyInfo {
  const { directory } = splitDirectoryEntry(path)
  if (!asking('stat', directory, () => statSync(directory)).isDirectory()) throw new Error('not a directory')
  return { path, exists: false, isDirectory: false, rebaseName: '' }
}

/** Refuses a destination whose directory is missing, and one that is a device, before anything is asked for. */
export function requireOutputPath(path: string): void {
  const directory = dirname(cleanPath(path))
  if (directory !== '.' && !lstatOrNone(`${directory}/`)) {
    throw new Error(`invalid output path: directory ${JSON.stringify(directory)} does not exist`)
  }
  const status = statSync(path, { throwIfNoEntry: false })
  if (status?.isBlockDevice() || status?.isCharacterDevice()) {
    throw new Error(`invalid output path: ${JSON.stringify(path)} must be a directory or a regular file: got a device`)
  }
}

function lstatOrNone(path: string): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw new Error(`lstat ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

const lstat = (path: string): Stats => asking('lstat', path, () => lstatSync(path))

/** As Go words it: `lstat /dne: no such file or directory`. */
function asking<T>(what: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Error(`${what} ${path}: ${reasonOf(error)}`, { cause: error })
  }
}
