import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { codeOf } from '@berth/base'
import { type HostsOptions, ownNames } from './hosts-file.ts'

/** What the engine writes is far smaller; the container may have written any amount. */
const largestBytes = 1024 * 1024

/** Adds lines for a running container's new addresses; what the user wrote stays. */
export function addHostsLines(
  path: string,
  names: Pick<HostsOptions, 'hostname' | 'domainname'>,
  addresses: readonly string[],
): void {
  edit(path, (text) => {
    const start = text === '' || text.endsWith('\n') ? text : `${text}\n`
    return start + addresses.map((address) => `${address}\t${ownNames(names)}\n`).join('')
  })
}

/** Removes the lines of addresses that a running container has no more. */
export function removeHostsLines(path: string, addresses: readonly string[]): void {
  const gone = new Set(addresses)
  edit(path, (text) => {
    const lines = text.split('\n')
    return lines.filter((line) => !gone.has(line.split(/\s/, 1)[0] ?? '')).join('\n')
  })
}

/** Moves the lines that begin with a name, whatever else they name, to another address; undefined removes them. */
export function moveHostsLine(path: string, name: string, address: string | undefined): void {
  edit(path, (text) =>
    text
      .split('\n')
      .flatMap((line) => {
        const [, names = ''] = /^\S+(\s.*)$/.exec(line) ?? []
        if (names.trim().split(/\s+/)[0] !== name) return [line]
        return address === undefined ? [] : [`${address}${names}`]
      })
      .join('\n'),
  )
}

/** In place: the file is bound into the container, another would not be seen. */
function edit(path: string, change: (text: string) => string): void {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  try {
    const { size } = fstatSync(fd)
    if (size > largestBytes) return
    const before = Buffer.alloc(size)
    readSync(fd, before, 0, size, 0)
    const after = Buffer.from(change(before.toString('utf8')))
    writeSync(fd, after, 0, after.length, 0)
    ftruncateSync(fd, after.length)
  } finally {
    closeSync(fd)
  }
}
