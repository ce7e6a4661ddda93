import { AT_EMPTY_PATH } from './constants.ts'
import { check, type CString, declareFunctions, EROFS, errno } from '../libc.ts'

const c = declareFunctions<{
  faccessat2(number: number, fd: number, path: CString, mode: number, flags: number): number
}>({ faccessat2: 'long syscall(long number, int fd, str path, int mode, int flags)' })

const SYS_faccessat2 = 439
const W_OK = 2

/** Whether what `fd` has open (also as O_PATH) is on a mount that may be written to (Linux 5.8). */
export function isWritable(fd: number): boolean {
  const result = c.faccessat2(SYS_faccessat2, fd, '', W_OK, AT_EMPTY_PATH)
  if (result < 0 && errno() === EROFS) return false
  check(result, 'faccessat2')
  return true
}
