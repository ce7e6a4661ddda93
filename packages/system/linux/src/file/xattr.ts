import { check, type CString, declareFunctions, ENODATA, errno, pathArgument } from '../libc.ts'
import { type FileName, procFd } from './at.ts'

const c = declareFunctions<{
  getxattr(path: CString, name: CString, value: Uint8Array, size: number): number
  lgetxattr(path: CString, name: CString, value: Uint8Array, size: number): number
  setxattr(path: CString, name: CString, value: Uint8Array, size: number, flags: number): number
  lsetxattr(path: CString, name: CString, value: Uint8Array, size: number, flags: number): number
  listxattr(path: CString, list: Uint8Array, size: number): number
  llistxattr(path: CString, list: Uint8Array, size: number): number
  removexattr(path: CString, name: CString): number
  lremovexattr(path: CString, name: CString): number
}>({
  getxattr: 'long getxattr(str path, str name, void *value, size_t size)',
  lgetxattr: 'long lgetxattr(str path, str name, void *value, size_t size)',
  setxattr: 'int setxattr(str path, str name, void *value, size_t size, int flags)',
  lsetxattr: 'int lsetxattr(str path, str name, void *value, size_t size, int flags)',
  listxattr: 'long listxattr(str path, void *list, size_t size)',
  llistxattr: 'long llistxattr(str path, void *list, size_t size)',
  removexattr: 'int removexattr(str path, str name)',
  lremovexattr: 'int lremovexattr(str path, str name)',
})

/** A path (a symlink is not followed) or a descriptor (O_PATH too, also of a symlink). */
export type XattrTarget = FileName | number

// XATTR_SIZE_MAX and XATTR_LIST_MAX of include/uapi/linux/limits.h
let scratch: Buffer | undefined
const buffer = (): Buffer => (scratch ??= Buffer.allocUnsafeSlow(65536))

/** The value of an extended attribute, or undefined where there is none of that name. */
export function getXattr(target: XattrTarget, name: string): Buffer | undefined {
  const value = buffer()
  const length =
    typeof target === 'number'
      ? c.getxattr(procFd(target), name, value, value.length)
      : c.lgetxattr(pathArgument(target, 'getxattr'), name, value, value.length)
  if (length < 0 && errno() === ENODATA) return undefined
  check(length, `getxattr ${name}`, pathOf(target))
  return Buffer.from(value.subarray(0, length))
}

/** Creates or replaces an extended attribute. */
export function setXattr(target: XattrTarget, name: string, value: Uint8Array): void {
  const attribute = pathArgument(name, 'setxattr')
  const result =
    typeof target === 'number'
      ? c.setxattr(procFd(target), attribute, value, value.length, 0)
      : c.lsetxattr(pathArgument(target, 'setxattr'), attribute, value, value.length, 0)
  check(result, `setxattr ${name}`, pathOf(target))
}

/** The names of all extended attributes that the caller may see. */
export function listXattrs(target: XattrTarget): string[] {
  const list = buffer()
  const length =
    typeof target === 'number'
      ? c.listxattr(procFd(target), list, list.length)
      : c.llistxattr(pathArgument(target, 'listxattr'), list, list.length)
  check(length, 'listxattr', pathOf(target))
  return length === 0 ? [] : list.toString('utf8', 0, length - 1).split('\0')
}

/** Removes an extended attribute; ENODATA where there is none. */
export function removeXattr(target: XattrTarget, name: string): void {
  const result =
    typeof target === 'number'
      ? c.removexattr(procFd(target), name)
      : c.lremovexattr(pathArgument(target, 'removexattr'), name)
  check(result, `removexattr ${name}`, pathOf(target))
}

const pathOf = (target: XattrTarget): FileName => (typeof target === 'number' ? procFd(target) : target)
