import { commits, copies } from './copies.ts'
import { images } from './images.ts'
import { timeMs } from './time.ts'
import { traffic } from './traffic.ts'
import type { BenchEngine } from './engine.ts'

/** What one round of a case measured: metric name to value. */
export type Sample = Readonly<Record<string, number>>

export interface Case {
  readonly name: string
  /** Metric name to unit. */
  readonly metrics: Readonly<Record<string, string>>
  readonly rounds: number
  readonly quickRounds: number
  measure(engine: BenchEngine, scale: Scale): Promise<Sample>
}

export interface Scale {
  /** Megabytes that the log cases write. */
  readonly logMb: number
  /** Megabytes that the network case sends. */
  readonly trafficMb: number
  /** Stopped containers that ps lists. */
  readonly stopped: number
  /** Megabytes of the image that is loaded, saved, pushed and pulled. */
  readonly imageMb: number
  /** Megabytes of the file, and number of the small ones, that are copied in and out. */
  readonly copyMb: number
  readonly copyFiles: number
}

const repeat = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)))

const start = (engine: BenchEngine, id: string): Promise<unknown> => engine.call('POST', `/containers/${id}/start`)
const wait = (engine: BenchEngine, id: string): Promise<unknown> => engine.call('POST', `/containers/${id}/wait`)
const remove = (engine: BenchEngine, id: string): Promise<unknown> => engine.call('DELETE', `/containers/${id}?force=1`)

async function withSleeper<T>(engine: BenchEngine, work: (id: string) => Promise<T>): Promise<T> {
  const id = await engine.create(['sleep', '100000'])
  await start(engine, id)
  try {
    return await work(id)
  } finally {
    await remove(engine, id)
  }
}

const runCli = (network: string) => (engine: BenchEngine) =>
  timeMs(() => engine.docker('run', '--rm', '--network', network, '--label', 'berth-bench=1', 'berth-bench', 'true'))

async function apiCycle(engine: BenchEngine): Promise<Sample> {
  const ms = await timeMs(async () => {
    const id = await engine.create(['true'])
    await start(engine, id)
    await wait(engine, id)
    await engine.call('DELETE', `/containers/${id}`)
  })
  return { 'api-cycle': ms }
}

async function execApi(engine: BenchEngine, id: string): Promise<void> {
  const body = { Cmd: ['true'], AttachStdout: true, AttachStderr: true }
  const { Id } = await engine.json<{ Id: string }>('POST', `/containers/${id}/exec`, body)
  await engine.call('POST', `/exec/${Id}/start`, { Detach: false, Tty: false })
}

async function start20(engine: BenchEngine): Promise<Sample> {
  const ids: string[] = []
  const started = await timeMs(async () => {
    await repeat(20, async () => {
      const id = await engine.create(['sleep', '100000'])
      ids.push(id)
      await start(engine, id)
    })
  })
  const removed = await timeMs(() => Promise.all(ids.map((id) => remove(engine, id))))
  return { start20: started, rm20: removed }
}

async function spread64(engine: BenchEngine): Promise<Sample> {
  const began = performance.now()
  const ends = await repeat(64, async () => {
    const id = await engine.create(['true'], { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '' }] } })
    await start(engine, id)
    await wait(engine, id)
    const end = performance.now() - began
    await remove(engine, id)
    return end
  })
  return { 'run64-spread': Math.max(...ends) - Math.min(...ends) }
}

async function logs(engine: BenchEngine, { logMb }: Scale): Promise<Sample> {
  const line = 'x'.repeat(99)
  // cat writes far faster than what makes the lines, which would be measured in its place
  const script = `yes ${line} | head -c 1000000 > /lines; cat $(yes /lines | head -n ${logMb})`
  const id = await engine.create(['sh', '-c', script], {
    LogConfig: { Type: 'json-file' },
  })
  const write = await timeMs(async () => {
    await start(engine, id)
    await wait(engine, id)
  })
  const read = await timeMs(async () => {
    const bytes = await engine.drain(`/containers/${id}/logs?stdout=1`)
    const limit = logMb * 1e6
    if (bytes < Math.min(limit, 90e6)) throw new Error(`logs: only ${bytes} bytes came back`)
  })
  await remove(engine, id)
  return { 'logs-write': write, 'logs-read': read }
}

async function ps(engine: BenchEngine, { stopped }: Scale): Promise<Sample> {
  const ids: string[] = []
  for (let i = 0; i < stopped; i += 10) ids.push(...(await repeat(10, () => engine.create(['true']))))
  const times: number[] = []
  for (let i = 0; i < 100; i++) times.push(await timeMs(() => engine.call('GET', '/containers/json?all=1')))
  await Promise.all(ids.map((id) => remove(engine, id)))
  return { 'ps-p95': times.toSorted((a, b) => a - b)[94]! }
}

async function memory(engine: BenchEngine): Promise<Sample> {
  await withSleeper(engine, () => engine.memory()) // finds the processes that stand between engine and container
  const idle = await engine.memory()
  const ids = await repeat(50, () => engine.create(['sleep', '100000']))
  for (const id of ids) await start(engine, id)
  const busy = await engine.memory()
  await Promise.all(ids.map((id) => remove(engine, id)))
  return { 'mem-idle': idle, 'mem-50': busy, 'mem-per-container': (busy - idle) / 50 }
}

const ms = (...names: string[]): Record<string, string> => Object.fromEntries(names.map((name) => [name, 'ms']))

export const cases: readonly Case[] = [
  {
    name: 'memory',
    metrics: { 'mem-idle': 'MB', 'mem-50': 'MB', 'mem-per-container': 'MB' },
    rounds: 1,
    quickRounds: 1,
    measure: memory,
  },
  {
    name: 'run',
    metrics: ms('run-bridge', 'run-none'),
    rounds: 15,
    quickRounds: 5,
    measure: async (engine) => ({
      'run-bridge': await runCli('bridge')(engine),
      'run-none': await runCli('none')(engine),
    }),
  },
  { name: 'api-cycle', metrics: ms('api-cycle'), rounds: 20, quickRounds: 5, measure: apiCycle },
  {
    name: 'exec',
    metrics: ms('exec-cli', 'exec-api'),
    rounds: 20,
    quickRounds: 5,
    measure: (engine) =>
      withSleeper(engine, async (id) => ({
        'exec-cli': await timeMs(() => engine.docker('exec', id, 'true')),
        'exec-api': await timeMs(() => execApi(engine, id)),
      })),
  },
  { name: 'start20', metrics: ms('start20', 'rm20'), rounds: 5, quickRounds: 2, measure: start20 },
  { name: 'run64', metrics: ms('run64-spread'), rounds: 3, quickRounds: 1, measure: spread64 },
  { name: 'net', metrics: ms('net-c2c', 'net-pub'), rounds: 5, quickRounds: 3, measure: traffic },
  { name: 'logs', metrics: ms('logs-write', 'logs-read'), rounds: 3, quickRounds: 1, measure: logs },
  {
    name: 'images',
    metrics: ms('img-load', 'img-save', 'img-push', 'img-rm', 'img-pull'),
    rounds: 3,
    quickRounds: 1,
    measure: images,
  },
  {
    name: 'cp',
    metrics: ms('cp-in', 'cp-out', 'cp-tree-in', 'cp-tree-out'),
    rounds: 4,
    quickRounds: 2,
    measure: copies,
  },
  { name: 'commit', metrics: ms('commit-1000', 'commit-rm'), rounds: 6, quickRounds: 3, measure: commits },
  { name: 'ps', metrics: ms('ps-p95'), rounds: 3, quickRounds: 1, measure: ps },
]
