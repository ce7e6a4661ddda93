import { codeOf } from '@berth/base'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const suffix = '.removed'

/**
 * Removes a container's directory, if it is there. It gets another name first: the supervisor may still be compressing a
 * log that was rotated just before the end, and would go on making files under the name it knows.
 */
export async function discardDirectory(path: string): Promise<void> {
  const discarded = join(dirname(path), `${basename(path)}${suffix}`)
  try {
    await rename(path, discarded)
  } catch (error) {
    // Gone, or given its other name by a removal that then failed.
    if (codeOf(error) !== 'ENOENT') throw error
  }
  // A file that was being made when the name changed can come into it while it is being emptied.
  await rm(discarded, { recursive: true, force: true, maxRetries: 5, retryDelay: 10 })
}

/** Removes what a crash in the middle of `discardDirectory` left in `parent`. */
export async function sweepDiscarded(parent: string): Promise<void> {
  const left = (await readdir(parent)).filter((name) => name.endsWith(suffix))
  await Promise.all(left.map((name) => rm(join(parent, name), { recursive: true, force: true })))
}
