import type { StatusResponse, Timestamp } from '@berth/buildkit-protocol'
import { Trace } from './trace.ts'
import type { ProgressView, Write } from './view.ts'

/** What the engine tells, a JSON document a line, named as BuildKit's client does. */
export class RawJsonView implements ProgressView {
  readonly trace = new Trace()
  readonly #write: Write

  constructor(write: Write) {
    this.#write = write
  }

  take(status: StatusResponse, target: string): void {
    this.trace.update(status, target)
    this.#write(`${JSON.stringify(documentOf(status))}\n`)
  }

  end(): void {}
}

function documentOf({ vertexes, statuses, logs, warnings }: StatusResponse) {
  return {
    ...(vertexes.length > 0 && {
      vertexes: vertexes.map(({ digest, inputs, name, started, completed, cached, error }) => ({
        digest,
        ...(inputs.length > 0 && { inputs }),
        name,
        ...(started && { started: timeText(started) }),
        ...(completed && { completed: timeText(completed) }),
        ...(cached && { cached }),
        ...(error !== '' && { error }),
      })),
    }),
    ...(statuses.length > 0 && {
      statuses: statuses.map(({ id, vertex, name, current, total, timestamp, started, completed }) => ({
        id,
        vertex,
        ...(name !== '' && { name }),
        ...(total > 0n && { total: Number(total) }),
        current: Number(current),
        ...(timestamp && { timestamp: timeText(timestamp) }),
        ...(started && { started: timeText(started) }),
        ...(completed && { completed: timeText(completed) }),
      })),
    }),
    ...(logs.length > 0 && {
      logs: logs.map(({ vertex, stream, msg, timestamp }) => ({
        vertex,
        ...(stream !== 0n && { stream: Number(stream) }),
        data: base64(msg),
        ...(timestamp && { timestamp: timeText(timestamp) }),
      })),
    }),
    ...(warnings.length > 0 && {
      warnings: warnings.map(({ vertex, level, short, detail, url, info, ranges }) => ({
        vertex,
        ...(level !== 0n && { level: Number(level) }),
        short: base64(short),
        ...(detail.length > 0 && { detail: detail.map(base64) }),
        ...(url !== '' && { url }),
        ...(info && { sourceInfo: { filename: info.filename, data: base64(info.data) } }),
        ...(ranges.length > 0 && {
          range: ranges.map(({ start, end }) => ({ start: { line: start?.line }, end: { line: end?.line } })),
        }),
      })),
    }),
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** RFC 3339 with nanoseconds, as Go writes it. */
function timeText({ seconds, nanos }: Timestamp): string {
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  const fraction = String(nanos).padStart(9, '0').replace(/0+$/, '')
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`
}
