import { callAsync, declareFunctions } from '../libc.ts'

const c = declareFunctions<{ mallocTrim(padBytes: number): number }>({ mallocTrim: 'int malloc_trim(size_t pad)' })

/** Gives memory that was freed back to the kernel (malloc_trim(3)), on a libuv pool thread; some milliseconds. */
export const trimMemory = (): Promise<void> => callAsync(c.mallocTrim, 'malloc_trim', '', [0])
