import { createRequire } from 'node:module'
import type * as koffiTypes from 'koffi'
import { LinuxError } from './error.ts'

type Koffi = typeof koffiTypes
type Library = ReturnType<Koffi['load']>

let koffiModule: Koffi | undefined
let libcLibrary: Library | undefined

/** The FFI, loaded at its first use: it costs 15 ms, which importing this package must not. */
export function koffi(): Koffi {
  // In a CommonJS bundle import.meta is empty.
  koffiModule ??= createRequire(import.meta.url ?? __filename)('koffi') as Koffi
  return koffiModule
}

/** The C library of this thread. */
function libc(): Library {
  libcLibrary ??= koffi().load('libc.so.6')
  return libcLibrary
}

/** Another library, by the name that its ABI has (`libNAME.so.MAJOR`); throws when it is not installed. */
export const loadLibrary = (name: string): Library => koffi().load(name)

/** `null`-able text, or a Buffer that ends with a NUL. */
export type CString = string | Uint8Array | null

/**
 * C functions by name, of libc or of the `library` that is given, each declared to the FFI at its first call.
 *
 * Variadic functions (syscall, fcntl, ioctl, open) may be declared with the arguments they are called with: on Linux
 * both the System V x86-64 ABI and AAPCS64 pass integers and pointers of a variadic call as those of a plain one
 * (it is Apple's arm64 that does not).
 */
export function declareFunctions<T extends object>(
  signatures: Readonly<Record<keyof T & string, string>>,
  library: () => Library = libc,
): T {
  const functions = {}
  for (const [name, signature] of Object.entries<string>(signatures)) {
    Object.defineProperty(functions, name, {
      configurable: true,
      get() {
        const value = library().func(signature)
        Object.defineProperty(functions, name, { value })
        return value
      },
    })
  }
  return functions as T
}

/** The address of a Buffer's memory, for structures that hold pointers. The Buffer must outlive their use. */
export const addressOf = (buffer: Uint8Array): bigint => koffi().address(buffer)

/** The result of a system call, or a `LinuxError` from errno when it is negative. */
export function check(result: number, syscall: string, path?: string | Uint8Array): number {
  if (result < 0) throw lastError(syscall, path)
  return result
}

/** A `LinuxError` from errno as it stands. */
export function lastError(syscall: string, path?: string | Uint8Array): LinuxError {
  const errno = koffi().errno()
  return new LinuxError(syscall, errno, path === undefined ? {} : { path: printable(path) })
}

/** errno as it stands. */
export const errno = (): number => koffi().errno()

/** A path for a system call. Refuses an embedded NUL, at which C would silently cut the name. */
export function pathArgument(path: string | Uint8Array, syscall: string): string | Uint8Array {
  if (typeof path === 'string') {
    if (path.includes('\0'))
      throw new LinuxError(syscall, EINVAL, { path: JSON.stringify(path), detail: 'NUL in path' })
    return path
  }
  if (path.includes(0)) throw new LinuxError(syscall, EINVAL, { path: printable(path), detail: 'NUL in path' })
  const terminated = new Uint8Array(path.length + 1)
  terminated.set(path)
  return terminated
}

const printable = (path: string | Uint8Array): string =>
  typeof path === 'string' ? path : Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString()

// include/uapi/asm-generic/errno-base.h and errno.h: the same on every architecture Berth runs on.
export const EINTR = 4
export const EAGAIN = 11
export const EBUSY = 16
export const EEXIST = 17
export const ENODEV = 19
export const ENOTDIR = 20
export const EINVAL = 22
export const EROFS = 30
export const ERANGE = 34
export const ENODATA = 61
export const ENOENT = 2
export const ECHILD = 10
export const EINPROGRESS = 115

interface AsyncFunction {
  async(...args: unknown[]): void
}

/** Calls `f` on a libuv pool thread. Only for calls that neither depend on nor change a thread's namespaces. */
export async function callAsync(f: unknown, syscall: string, path: string, args: readonly unknown[]): Promise<void> {
  await callOnPool(f, args, (result) => {
    if (result < 0) throw lastError(syscall, path)
  })
}

/** What `f` returns from a libuv pool thread, handed to `take` while errno is still the call's. */
export function callOnPool<T>(f: unknown, args: readonly unknown[], take: (result: number) => T): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  // errno is kept per call: koffi saves it for the callback of an asynchronous one.
  ;(f as AsyncFunction).async(...args, (error: unknown, result: number) => {
    if (error) return reject(error)
    try {
      resolve(take(result))
    } catch (failure) {
      reject(failure)
    }
  })
  return promise
}
