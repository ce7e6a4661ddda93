import { closeSync, readFileSync, writeSync } from 'node:fs'
import { check, declareFunctions, EINVAL, errno } from '../libc.ts'

const c = declareFunctions<{
  memfdCreate(name: string, flags: number): number
  fcntl(fd: number, command: number, argument: number): number
}>({
  memfdCreate: 'int memfd_create(str name, uint flags)',
  fcntl: 'int fcntl(int fd, int command, long argument)',
})

// include/uapi/linux/memfd.h
const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const MFD_EXEC = 16

// include/uapi/linux/fcntl.h
const F_ADD_SEALS = 1033
const F_SEAL_SEAL = 1
const F_SEAL_SHRINK = 2
const F_SEAL_GROW = 4
const F_SEAL_WRITE = 8

/**
 * A copy of a file in memory that nobody can change any more (memfd_create(2)): its descriptor, closed on exec, which the
 * caller owns. Run it as `/proc/self/fd/N`.
 */
export function sealedCopy(path: string): number {
  const bytes = readFileSync(path)
  const fd = createMemoryFile(path.slice(path.lastIndexOf('/') + 1))
  try {
    for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset)
    check(c.fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE), 'fcntl', path)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function createMemoryFile(name: string): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING
  const fd = c.memfdCreate(name, flags | MFD_EXEC)
  // Kernels before 6.3 do not know MFD_EXEC: every such file can be executed there.
  if (fd < 0 && errno() === EINVAL) return check(c.memfdCreate(name, flags), 'memfd_create')
  return check(fd, 'memfd_create')
}
