import type { StatusResponse, Timestamp, VertexWarning } from '@berth/buildkit-protocol'

/** Seconds since 1970. */
export const secondsOf = ({ seconds, nanos }: Timestamp): number => Number(seconds) + nanos / 1e9

export interface StatusLine {
  readonly id: string
  readonly current: number
  readonly total: number
  readonly at: number
  readonly started: number | undefined
  readonly completed: number | undefined
}

/** A step of a build as far as it is known. Times are seconds since 1970. */
export interface Step {
  readonly digest: string
  /** By the order in which steps began; 0: not yet. */
  index: number
  name: string
  isCached: boolean
  error: string
  started: number | undefined
  completed: number | undefined
  /** By their starts: a step may run more than once. */
  readonly intervals: Map<number, number | undefined>
  readonly statuses: Map<string, StatusLine>
  /** Of statuses, since they were last shown. */
  readonly changed: Set<string>
  /** Lines that were not shown yet, with the time since the step's start. */
  readonly lines: LogLine[]
  /** The last of them, for the report of an error. */
  readonly tail: LogLine[]
  /** The last line has no end yet. */
  isPartial: boolean
  readonly warnings: VertexWarning[]
}

export interface LogLine {
  text: string
  readonly seconds: number
}

const tailLines = 10

/** What the engine has told of a build, put together. */
export class Trace {
  readonly steps = new Map<string, Step>()
  /** In the order in which they began. */
  readonly begun: Step[] = []
  readonly warnings: VertexWarning[] = []
  startedAt: number | undefined

  /** `target` comes before the names of the steps, where several builds run. */
  update(status: StatusResponse, target = ''): Step[] {
    const touched = new Set<Step>()
    const touch = (step: Step | undefined): Step | undefined => {
      if (step) touched.add(step)
      return step
    }
    for (const vertex of status.vertexes) {
      const step = touch(this.#step(vertex.digest)) as Step
      this.#applyVertex(step, { ...vertex, name: withTarget(vertex.name, target) })
    }
    for (const one of status.statuses) applyStatus(touch(this.steps.get(one.vertex)), one)
    for (const log of status.logs) applyLog(touch(this.steps.get(log.vertex)), log)
    for (const warning of status.warnings) {
      // Not news by itself: it is shown with the next that there is of its step.
      this.steps.get(warning.vertex)?.warnings.push(warning)
      this.warnings.push(warning)
    }
    return [...touched]
  }

  #step(digest: string): Step {
    const known = this.steps.get(digest)
    if (known) return known
    const step = newStep(digest)
    this.steps.set(digest, step)
    return step
  }

  #applyVertex(step: Step, vertex: StatusResponse['vertexes'][number]): void {
    const started = vertex.started && secondsOf(vertex.started)
    const completed = vertex.completed && secondsOf(vertex.completed)
    // The same step of another build that has not begun changes nothing.
    if (step.started !== undefined && started === undefined) return
    step.name = vertex.name
    step.isCached = vertex.cached
    step.error = vertex.error
    if (started !== undefined) {
      this.startedAt ??= started
      if (step.started === undefined) {
        step.index = this.begun.length + 1
        this.begun.push(step)
      }
      step.intervals.set(started, completed)
    }
    step.started = started ?? step.started
    step.completed = completed
  }
}

function newStep(digest: string): Step {
  return {
    digest,
    index: 0,
    name: '',
    isCached: false,
    error: '',
    started: undefined,
    completed: undefined,
    intervals: new Map(),
    statuses: new Map(),
    changed: new Set(),
    lines: [],
    tail: [],
    isPartial: false,
    warnings: [],
  }
}

/** `[2/3] RUN x` of a target is `[target 2/3] RUN x`. */
function withTarget(name: string, target: string): string {
  if (target === '') return name
  return name.startsWith('[') ? name.replace('[', `[${target} `) : `[${target}] ${name}`
}

function applyStatus(step: Step | undefined, status: StatusResponse['statuses'][number]): void {
  if (!step) return
  step.changed.add(status.id)
  step.statuses.set(status.id, {
    id: status.id,
    current: Number(status.current),
    total: Number(status.total),
    at: status.timestamp ? secondsOf(status.timestamp) : 0,
    started: status.started && secondsOf(status.started),
    completed: status.completed && secondsOf(status.completed),
  })
}

function applyLog(step: Step | undefined, log: StatusResponse['logs'][number]): void {
  if (!step) return
  const at = log.timestamp ? secondsOf(log.timestamp) : 0
  const seconds = Math.max(0, at - (lastStart(step) ?? at))
  const pieces = Buffer.from(log.msg).toString().split('\n')
  for (const [i, text] of pieces.entries()) {
    const isLast = i === pieces.length - 1
    if (isLast && text === '') {
      step.isPartial = false
      break
    }
    addText(step, { text, seconds }, i === 0 && step.isPartial)
    step.isPartial = isLast
  }
}

function addText(step: Step, line: LogLine, continues: boolean): void {
  const last = step.tail.at(-1)
  if (continues && last !== undefined) {
    last.text += line.text
    // It was shown so far: what is new goes on there.
    if (!step.lines.includes(last)) step.lines.push({ ...line, text: line.text })
    return
  }
  step.lines.push(line)
  step.tail.push(line)
  if (step.tail.length > tailLines) step.tail.shift()
}

const lastStart = ({ intervals }: Step): number | undefined =>
  intervals.size === 0 ? undefined : Math.max(...intervals.keys())

export const isDone = ({ completed }: Step): boolean => completed !== undefined
export const isRunning = ({ started, completed }: Step): boolean => started !== undefined && completed === undefined

/** The seconds that a step has run, until `now` if it still does. */
export function runSeconds({ intervals }: Step, now: number): number {
  const sorted = [...intervals].map(([start, end]) => [start, end ?? now] as const).toSorted(([a], [b]) => a - b)
  let [sum, covered] = [0, 0]
  for (const [start, end] of sorted) {
    sum += Math.max(0, end - Math.max(start, covered))
    covered = Math.max(covered, end)
  }
  return sum
}

/** What ends in this was stopped, and is no error of its own. */
export const wasCanceled = ({ error }: Step): boolean => error.endsWith('context canceled')

/** `12.34kB`, as Docker's units package has it. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let [value, unit] = [bytes, 0]
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(value) : value.toFixed(2)}${units[unit]}`
}

/** ` 1.20kB / 3.40kB 0.1s done` of a status. */
export function statusDetail({ current, total, at, started, completed }: StatusLine): string {
  const bytes = total > 0 ? ` ${bytesText(current)} / ${bytesText(total)}` : current > 0 ? ` ${bytesText(current)}` : ''
  const seconds = started === undefined ? 0 : (completed ?? at) - started
  return `${bytes}${seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : ''}${completed === undefined ? '' : ' done'}`
}

/** `0.123`, `12.34`, `123.4`: seconds before a line of a step's output. */
export const lineTime = (seconds: number): string => seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1)

/** The last words of the steps that failed. */
export function errorLogs({ begun }: Trace): string {
  return begun
    .filter((step) => step.error !== '' && !wasCanceled(step))
    .map(({ name, tail }) => {
      const lines = tail.map(({ text, seconds }) => `${lineTime(seconds)} ${text}\n`).join('')
      return `------\n > ${name}:\n${lines}------\n`
    })
    .join('')
}
