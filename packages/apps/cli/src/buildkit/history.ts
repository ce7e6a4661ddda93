import { type BuildkitDoor, controlMethods, openBuildkit } from '@berth/buildkit-client'
import { type BuildHistoryRecord, grpcCode } from '@berth/buildkit-protocol'
import type { Cli } from '../cli.ts'
import { secondsOf } from './progress/trace.ts'

/** As many records are listed as BuildKit's clients ask for. */
const maxRecords = 50

/** Runs `use` with the engine's BuildKit. */
export async function withDoor<T>(cli: Cli, use: (door: BuildkitDoor) => Promise<T>): Promise<T> {
  using door = await openBuildkit(cli.engine.transport)
  return await use(door)
}

/** The builds that the engine remembers, the newest first. */
export async function listRecords({ client }: BuildkitDoor): Promise<BuildHistoryRecord[]> {
  const call = client.open(controlMethods.listenBuildHistory)
  await call.send({ earlyExit: true, limit: maxRecords })
  call.end()
  const records: BuildHistoryRecord[] = []
  for await (const { record } of call.messages) if (record) records.push(record)
  return records.toSorted((a, b) => startOf(b) - startOf(a))
}

/** The record of a reference, of a part of one, or the newest; `^1` is the one before. Throws where there is none. */
export async function findRecord(door: BuildkitDoor, wanted: string): Promise<BuildHistoryRecord> {
  const records = await listRecords(door)
  const offset = /^\^(\d+)$/.exec(wanted)?.[1]
  const ref = wanted.slice(wanted.lastIndexOf('/') + 1)
  const found =
    wanted === '' || offset !== undefined
      ? records[Number(offset ?? 0)]
      : (records.find((record) => record.ref === ref) ?? records.find((record) => record.ref.startsWith(ref)))
  if (found === undefined)
    throw new Error(wanted === '' ? 'no records found' : `no record found for ref ${JSON.stringify(wanted)}`)
  return found
}

export type RecordStatus = 'Running' | 'Completed' | 'Canceled' | 'Error'

export function statusOf({ completedAt, error }: BuildHistoryRecord): RecordStatus {
  if (completedAt === undefined) return 'Running'
  if (error === undefined) return 'Completed'
  return error.code === grpcCode.cancelled ? 'Canceled' : 'Error'
}

/** Seconds since 1970. */
export const startOf = ({ createdAt }: BuildHistoryRecord): number => (createdAt ? secondsOf(createdAt) : 0)

export const durationOf = (record: BuildHistoryRecord): number =>
  (record.completedAt ? secondsOf(record.completedAt) : Date.now() / 1000) - startOf(record)

/** `4.6s`, `1m 2s`. */
export function durationText(seconds: number): string {
  const whole = Math.floor(seconds)
  if (whole < 60) return `${seconds.toFixed(1)}s`
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  return `${hours > 0 ? `${hours}h ` : ''}${minutes}m ${whole % 60}s`
}

/** What was built, as far as the engine was told: an address, a Dockerfile of another name, a target. */
export function nameOf({ frontendAttrs: { context, filename, target } }: BuildHistoryRecord): string {
  const file = filename === undefined || filename === 'Dockerfile' ? '' : filename
  const place = context === undefined || context.startsWith('http://buildkit-session') ? file : context
  return `${place}${target === undefined ? '' : ` (${target})`}`.trim()
}
