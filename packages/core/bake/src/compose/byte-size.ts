import { ComposeError } from './compose-error.ts'

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** Bytes of a size such as `128m`, `1gb` or `1024`. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(text)
  if (match === null) throw new ComposeError(`invalid size: '${text}'`)
  const power = match[2] === '' ? 0 : 'kmgtp'.indexOf(match[2]!.toLowerCase()) + 1
  return Math.floor(Number(match[1]) * 1024 ** power)
}

/** Four digits and a unit, as docker's go-units writes sizes. */
export function binarySize(bytes: number): string {
  let size = bytes
  let unit = 0
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024
  return `${Number(size.toPrecision(4))}${units[unit]}`
}
