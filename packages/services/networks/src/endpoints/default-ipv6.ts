import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { codeOf } from '@berth/base'

const path = '/proc/sys/net/ipv6/conf/default/disable_ipv6'

/**
 * Has links come to be with or without IPv6 in the namespace that the thread is in, until it is disposed; undefined where
 * that cannot be set. For a link that is there, the kernel needs its lock of all links, and a write does not sleep until it
 * has that, but tries again and again.
 */
export function setDefaultIPv6(isOn: boolean): Disposable | undefined {
  const fd = openSetting()
  if (fd === undefined) return undefined
  const [before, wanted] = [readSetting(fd), isOn ? '0' : '1']
  if (before !== wanted) writeSync(fd, wanted, 0)
  return {
    [Symbol.dispose]: () => {
      if (before !== wanted) writeSync(fd, before, 0)
      closeSync(fd)
    },
  }
}

function openSetting(): number | undefined {
  try {
    return openSync(path, 'r+')
  } catch (error) {
    if (!isNotSettable(error)) throw error
    return undefined
  }
}

/** ENOENT: the kernel has no IPv6. EROFS: this engine itself runs in a container, which decides. */
export const isNotSettable = (error: unknown): boolean => codeOf(error) === 'ENOENT' || codeOf(error) === 'EROFS'

function readSetting(fd: number): string {
  const text = Buffer.alloc(16)
  return text.toString('latin1', 0, readSync(fd, text, 0, text.length, 0)).trim()
}
