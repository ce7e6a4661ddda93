import { check, declareFunctions } from '../libc.ts'

const c = declareFunctions<{ syncfs(fd: number): number }>({ syncfs: 'int syncfs(int fd)' })

/** Writes everything that is dirty in the file system of `fd` to its disk (syncfs(2)). Blocks: for worker threads. */
export function syncFileSystem(fd: number): void {
  check(c.syncfs(fd), 'syncfs')
}
