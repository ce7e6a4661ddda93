import { codeOf, conflict } from '@berth/base'
import { lockFile } from '@berth/linux'
import { supervisorElsewhere } from '@berth/runtime'
import { join } from 'node:path'
import { joinMounts, obstacleTo, type Rerun } from './join-mounts.ts'
import type { DaemonLogger } from './logger.ts'
import { makeDirectories, type Paths } from './paths.ts'

/**
 * Takes the engine's directories for this process, or throws `conflict`. Where containers run in other mounts, the program
 * begins anew in those: what is mounted here, they would not see.
 */
export async function takeRoots(paths: Paths, rerun: Rerun, logger: DaemonLogger): Promise<Disposable> {
  using stack = new DisposableStack()
  await makeDirectories(paths)
  stack.use(claim(paths.dataRoot, 'data-root'))
  stack.use(claim(paths.runRoot, 'exec-root'))
  const supervisorPid = await supervisorElsewhere(paths.runRoot)
  if (supervisorPid !== undefined) joinIfPossible(supervisorPid, rerun, logger)
  return stack.move()
}

/** One engine a directory. */
function claim(directory: string, flag: string): Disposable {
  try {
    return lockFile(join(directory, 'lock'))
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error
    throw conflict(`--${flag} ${directory} is in use by another berthd`, error)
  }
}

/** An engine that sees other mounts than its containers is better than one that ends at each start. */
function joinIfPossible(supervisorPid: number, rerun: Rerun, logger: DaemonLogger): void {
  const obstacle = obstacleTo(supervisorPid, rerun)
  if (obstacle !== undefined) {
    const problem =
      'cannot join the mount namespace of the containers that run already: they do not see what is mounted here'
    return logger.error({ supervisorPid, obstacle }, problem)
  }
  logger.warn({ supervisorPid }, 'joins the mount namespace of the containers that run already')
  joinMounts(supervisorPid, rerun)
}
