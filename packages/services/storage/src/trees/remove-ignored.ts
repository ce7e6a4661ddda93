import { ignoreRules } from '@berth/dockerfile'
import { closeSync, constants, openSync } from 'node:fs'
import { isDirectory, namesIn, openDirectory, removeTree, statusOf } from '../layers/directory.ts'

/** Removes what the rules leave out; a directory that something is let in again of stays, with that in it. */
export function removeIgnored({
  root,
  patterns,
}: {
  readonly root: string
  readonly patterns: readonly string[]
}): void {
  const rules = ignoreRules(patterns)
  const fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    sweep(fd, '')
  } finally {
    closeSync(fd)
  }

  function sweep(parent: number, base: string): boolean {
    let isEmpty = true
    for (const name of namesIn(parent)) {
      if (!sweepName(parent, name, base === '' ? name : `${base}/${name}`)) isEmpty = false
    }
    return isEmpty
  }

  /** True when it is gone. */
  function sweepName(parent: number, name: string, path: string): boolean {
    const status = statusOf(parent, name)
    if (!status) return true
    const isIgnored = rules.ignores(path)
    if (isIgnored && (!isDirectory(status) || !rules.hasExceptions)) {
      removeTree(parent, name)
      return true
    }
    if (!isDirectory(status)) return false
    const child = openDirectory(parent, name)
    let isEmpty: boolean
    try {
      isEmpty = sweep(child, path)
    } finally {
      closeSync(child)
    }
    if (!isIgnored || !isEmpty) return false
    removeTree(parent, name)
    return true
  }
}
