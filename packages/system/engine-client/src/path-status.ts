import { ConnectionError } from './errors.ts'
import type { ResponseHead } from './http.ts'

/** A file of a container, as `X-Docker-Container-Path-Stat` tells it. */
export interface PathStatus {
  readonly name: string
  readonly isDirectory: boolean
  readonly isLink: boolean
  readonly isDevice: boolean
  /** Where a link leads to. */
  readonly linkTarget: string
}

// Bits of Go's fs.FileMode.
const directory = 2 ** 31
const symlink = 2 ** 27
const device = 2 ** 26

export function pathStatus({ headers }: ResponseHead): PathStatus {
  const text = headers.get('x-docker-container-path-stat')
  if (text === undefined) throw new ConnectionError('the daemon did not tell the status of the path')
  const { name, mode, linkTarget } = JSON.parse(Buffer.from(text, 'base64').toString()) as {
    name: string
    mode: number
    linkTarget: string
  }
  const has = (bit: number) => Math.floor(mode / bit) % 2 === 1
  return { name, isDirectory: has(directory), isLink: has(symlink), isDevice: has(device), linkTarget }
}
