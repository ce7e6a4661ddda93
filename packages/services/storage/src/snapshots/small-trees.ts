import { procFd } from '@berth/linux'
import { constants, type Dirent } from 'node:fs'
import { type FileHandle, open, opendir, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname } from 'node:path'

/** So many entries take libuv's pool a few milliseconds; a thread that removes any tree takes some 60 ms just to start. */
const maxEntries = 64

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/**
 * Removes a tree unless it is large, without a thread of its own and never through a symlink. False when something of it is
 * left, for whatever reason: `removeTree()` of the layers finds that again, and tells it.
 */
export async function removeSmallTree(path: string): Promise<boolean> {
  try {
    await using parent = await open(dirname(path), O_RDONLY | O_DIRECTORY)
    return await removeDirectory(parent, basename(path), { entries: maxEntries })
  } catch {
    return false
  }
}

/** How many entries may still be removed. */
interface Allowance {
  entries: number
}

async function removeDirectory(parent: FileHandle, name: string, allowance: Allowance): Promise<boolean> {
  if (!(await emptyDirectory(parent, name, allowance))) return false
  await rmdir(below(parent, name))
  return true
}

async function emptyDirectory(parent: FileHandle, name: string, allowance: Allowance): Promise<boolean> {
  await using directory = await open(below(parent, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  const entries = await entriesOf(directory, allowance)
  if (entries === undefined) return false
  for (const entry of entries) {
    if (!entry.isDirectory()) await unlink(below(directory, entry.name))
    else if (!(await removeDirectory(directory, entry.name, allowance))) return false
  }
  return true
}

/** Undefined when they are too many. A name that is no UTF-8 is not found again under the name it has here. */
async function entriesOf(directory: FileHandle, allowance: Allowance): Promise<Dirent[] | undefined> {
  const entries: Dirent[] = []
  for await (const entry of await opendir(procFd(directory.fd))) {
    if (--allowance.entries < 0) return undefined
    entries.push(entry)
  }
  return entries
}

const below = (directory: FileHandle, name: string): string => `${procFd(directory.fd)}/${name}`
