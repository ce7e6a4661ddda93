import { internal, invalid } from '@berth/base'
import { statfs } from 'node:fs/promises'

/** What must stay free: bytes, or a part of the disk with a bound. */
export interface SpaceFloor {
  readonly bytes: number
  /** 0.01: a hundredth of the disk. With it, `bytes` is the most that is asked for. */
  readonly fraction?: number
}

/** A hundredth of the disk, 512 MiB at most. */
export const defaultSpaceFloor: SpaceFloor = { bytes: 512 * 2 ** 20, fraction: 0.01 }

const units: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** `512m`, `2g`, `5%`, or `0` for no floor. */
export function parseSpaceFloor(text: string): SpaceFloor {
  const percent = /^(\d{1,2}(?:\.\d+)?)%$/.exec(text)
  if (percent) return { bytes: Number.POSITIVE_INFINITY, fraction: Number(percent[1]) / 100 }
  const size = /^(\d{1,15}(?:\.\d+)?)\s?([bkmgt]?)(?:i?b)?$/i.exec(text)
  if (!size) throw invalid(`invalid --min-free-space: ${JSON.stringify(text)} is neither a size (2g) nor a part (5%)`)
  return { bytes: Math.floor(Number(size[1]) * (units[(size[2] ?? '').toLowerCase()] as number)) }
}

export interface DiskFacts {
  readonly freeBytes: number
  readonly totalBytes: number
}

/** Why work that will write `neededBytes` more should not begin; undefined when it may. */
export function planSpaceRefusal(disk: DiskFacts, floor: SpaceFloor, neededBytes: number): string | undefined {
  const wanted = floor.fraction === undefined ? floor.bytes : Math.min(floor.bytes, disk.totalBytes * floor.fraction)
  if (wanted <= 0 || disk.freeBytes - neededBytes >= wanted) return undefined
  const need = neededBytes > 0 ? ` for the ${megabytes(neededBytes)} to come` : ''
  return `no space left on device: ${megabytes(disk.freeBytes)} free${need}, and ${megabytes(wanted)} are to stay free (--min-free-space)`
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)}MB`

/** Refuses work that would fill the disk of `root` before it begins. */
export class DiskSpace {
  readonly #root: string
  readonly #floor: () => SpaceFloor

  /** `floor` is asked at each use: a reload changes it. */
  constructor(root: string, floor: () => SpaceFloor) {
    this.#root = root
    this.#floor = floor
  }

  /** `internal`, which begins with `what` ("pulling busybox:latest"), where less would stay free than is wanted. */
  async require(what: string, neededBytes = 0): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#root)
    const disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    const refusal = planSpaceRefusal(disk, this.#floor(), neededBytes)
    if (refusal !== undefined) throw internal(`${what}: ${this.#root}: ${refusal}`)
  }
}
