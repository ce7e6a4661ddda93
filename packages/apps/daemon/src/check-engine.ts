import type { ContainerId } from '@berth/base'
import type { Containers } from '@berth/containers'
import type { Database } from '@berth/database'
import { isMountPoint, unmount, unpinNetns } from '@berth/linux'
import type { Networks } from '@berth/networks'
import { type Finding, type Found, isYoung, settle, type Storage } from '@berth/storage'
import type { Volumes } from '@berth/volumes'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface CheckParts {
  readonly database: Database
  readonly storage: Pick<Storage, 'check'>
  readonly containers: Pick<Containers, 'list'>
  readonly volumes: Pick<Volumes, 'list' | 'strays'>
  readonly networks: Pick<Networks, 'strayPins'>
  /** `<data root>/containers`. */
  readonly directory: string
  readonly logger: { info(fields: object, message: string): void }
}

/** Holds the engine's directories, mounts and records against each other; with `repair` mends what is safe to mend. */
export async function checkEngine(
  parts: CheckParts,
  { repair, signal }: { readonly repair: boolean; readonly signal: AbortSignal },
): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const found of findAll(parts, signal)) {
    const finding = await settle(found, repair)
    if (finding.isRepaired) parts.logger.info(finding, 'check: repaired')
    findings.push(finding)
  }
  return findings
}

async function* findAll(parts: CheckParts, signal: AbortSignal): AsyncGenerator<Found> {
  yield* checkDatabase(parts)
  const known = new Map(
    (await parts.containers.list({ all: true, size: false, filters: {} })).map((one) => [one.id, one]),
  )
  // What is no container's belongs to a build, which unmounts it itself.
  const isInUse = (key: string): boolean => {
    const status = known.get(key as ContainerId)?.state.status
    return status === undefined || status === 'running' || status === 'paused' || status === 'restarting'
  }
  yield* parts.storage.check(isInUse, signal)
  yield* checkContainerDirectories(parts, new Set(known.keys()))
  yield* checkVolumes(parts)
  for (const pin of parts.networks.strayPins()) {
    if (isYoung(pin)) continue
    const finding = {
      kind: 'stray-namespace' as const,
      subject: pin,
      message: 'no container has this network namespace',
    }
    yield { finding, remedy: { text: 'removed', repair: () => unpinNetns(pin) } }
  }
}

function* checkDatabase({ database }: CheckParts): Generator<Found> {
  for (const row of database.prepare('PRAGMA integrity_check').all()) {
    const message = String(Object.values(row)[0])
    if (message !== 'ok') yield { finding: { kind: 'database', subject: 'state.db', message } }
  }
}

function* checkContainerDirectories({ directory }: CheckParts, known: ReadonlySet<string>): Generator<Found> {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    if (!/^[0-9a-f]{64}$/.test(name) || known.has(name) || isYoung(path)) continue
    const finding = { kind: 'leftover' as const, subject: path, message: 'no container has this directory' }
    yield { finding, remedy: { text: 'removed', repair: () => removeDirectory(path) } }
  }
  for (const id of known) {
    const path = join(directory, id)
    if (!existsSync(path)) yield { finding: { kind: 'missing-files', subject: id, message: `${path} is not there` } }
  }
}

function removeDirectory(path: string): void {
  const shm = join(path, 'shm')
  if (existsSync(shm) && isMountPoint(shm)) unmount(shm, { detach: true })
  rmSync(path, { recursive: true })
}

/** What users keep in volumes is theirs: nothing is removed. */
function* checkVolumes({ volumes }: CheckParts): Generator<Found> {
  for (const { name, mountpoint } of volumes.list()) {
    if (existsSync(mountpoint)) continue
    yield { finding: { kind: 'missing-files', subject: name, message: `the volume's ${mountpoint} is not there` } }
  }
  for (const path of volumes.strays()) {
    if (isYoung(path)) continue
    yield { finding: { kind: 'leftover', subject: path, message: 'no volume has this directory: left to you' } }
  }
}
