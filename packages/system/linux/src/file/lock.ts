import { closeSync, constants, openSync } from 'node:fs'
import { check, declareFunctions } from '../libc.ts'

const c = declareFunctions<{ flock(fd: number, operation: number): number }>({
  flock: 'int flock(int fd, int operation)',
})

const LOCK_EX = 2
const LOCK_NB = 4

/**
 * Takes the exclusive lock of the file at `path` (made if absent) until disposed or the process ends. EAGAIN when
 * another process holds it.
 */
export function lockFile(path: string): Disposable & { readonly fd: number } {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    check(c.flock(fd, LOCK_EX | LOCK_NB), 'flock', path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { fd, [Symbol.dispose]: () => closeSync(fd) }
}
