import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { demultiplex, type EngineApi, startDaemon, type TestDaemon, loadFixture, until } from '@berth/testing'

const rounds = Number(process.env['BERTH_CRASH_ROUNDS'] ?? 3)

interface State {
  readonly Status: string
  readonly Running: boolean
  readonly Pid: number
  readonly ExitCode: number
  readonly OOMKilled: boolean
  readonly StartedAt: string
}

/** A container of the test, and what must be true of it when all is over. */
interface Subject {
  readonly name: string
  readonly script: string
  readonly hostConfig?: object
  readonly exitCode?: number
  readonly lines?: readonly string[]
  readonly oomKilled?: boolean
  readonly restarts?: number
  readonly isRemoved?: boolean
}

const patienceMs = 30_000

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))
const slowly = (batches: number): string =>
  `i=0; while [ $i -lt ${batches} ]; do seq $((i*10)) $((i*10+9)); i=$((i+1)); sleep 0.04; done`

function subjects(round: number): Subject[] {
  const name = (kind: string, i = 0): string => `crash-${round}-${kind}-${i}`
  const writer = (_: unknown, i: number): Subject => ({
    name: name('writer', i),
    script: `${slowly(20 + i)}; exit ${i + 1}`,
    exitCode: i + 1,
    lines: numbers((20 + i) * 10),
  })
  const again: Subject = {
    name: name('again'),
    script: 'echo round; sleep 0.3; exit 3',
    hostConfig: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
    exitCode: 3,
    lines: ['round', 'round', 'round'],
    restarts: 2,
  }
  const greedy: Subject = {
    name: name('greedy'),
    script: 'sleep 0.5; x=a; while true; do x=$x$x; done',
    hostConfig: { Memory: 16 << 20, MemorySwap: 16 << 20 },
    exitCode: 137,
    oomKilled: true,
  }
  const brief: Subject = { name: name('brief'), script: 'echo gone', exitCode: 0, lines: ['gone'] }
  const sleepers = [0, 1].map((i) => ({ name: name('sleeper', i), script: 'exec sleep 100000' }))
  const fleeting: Subject = {
    name: name('fleeting'),
    script: slowly(20),
    hostConfig: { AutoRemove: true },
    isRemoved: true,
  }
  return [...Array.from({ length: 15 }, writer), again, greedy, brief, fleeting, ...sleepers]
}

const inspect = async (api: EngineApi, name: string): Promise<{ State: State; RestartCount: number }> =>
  (await api.json('GET', `/containers/${name}/json`)) as { State: State; RestartCount: number }

/** Makes a request; true when it was answered, also by 304 and 409: it was done before. */
async function answered(api: EngineApi, method: string, path: string, body?: object): Promise<boolean> {
  const answer = await api.request(method, path, body).catch(() => undefined)
  if (answer && answer.status >= 500) throw new Error(`${method} ${path}: ${answer.text}`)
  return answer !== undefined
}

/** Field 22 of proc_pid_stat(5): when the process began; undefined when it is gone. */
function beginOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19]
  } catch {
    return undefined
  }
}

/** Whether it was never started; waits for the engine to be back. A start whose answer was lost may have been done. */
async function isNew(api: EngineApi, name: string): Promise<boolean> {
  for (const deadline = performance.now() + patienceMs; performance.now() < deadline; await sleep(20)) {
    const answer = await api.request('GET', `/containers/${name}/json`).catch(() => undefined)
    if (answer) return answer.status === 200 && (JSON.parse(answer.text) as { State: State }).State.Status === 'created'
  }
  throw new Error('berthd did not come back')
}

async function launch(api: EngineApi, subject: Subject): Promise<void> {
  const config = { Image: 'busybox', Cmd: ['sh', '-c', subject.script], HostConfig: subject.hostConfig ?? {} }
  const create = () => answered(api, 'POST', `/containers/create?name=${subject.name}`, config)
  await until(create, patienceMs)
  const start = () => answered(api, 'POST', `/containers/${subject.name}/start`)
  while (!(await start())) if (!(await isNew(api, subject.name))) return
}

/** An attached client that is cut off when the engine dies: its end must disturb nothing. */
async function attachLoosely(api: EngineApi, name: string): Promise<void> {
  const { socket } = await api.hijack('POST', `/containers/${name}/attach?stream=1&stdout=1&stderr=1&stdin=1`)
  socket.on('error', () => {}).resume()
}

const statusOf = async (api: EngineApi, name: string): Promise<number> =>
  (await api.request('GET', `/containers/${name}/json`)).status

async function settle(api: EngineApi, subject: Subject): Promise<void> {
  if (subject.isRemoved) await until(async () => (await statusOf(api, subject.name)) === 404, patienceMs)
  if (subject.exitCode === undefined) return
  const deadline = performance.now() + patienceMs
  for (;;) {
    const { State: state, RestartCount: count } = await inspect(api, subject.name)
    if (state.Status === 'exited' && count === (subject.restarts ?? 0)) return
    if (performance.now() > deadline) assert.fail(`${subject.name}: restarted ${count} times, ${JSON.stringify(state)}`)
    await sleep(20)
  }
}

async function judge(api: EngineApi, subject: Subject): Promise<void> {
  if (subject.exitCode === undefined) return
  const { State: state } = await inspect(api, subject.name)
  assert.equal(state.ExitCode, subject.exitCode, subject.name)
  assert.equal(state.OOMKilled, subject.oomKilled ?? false, subject.name)
  if (!subject.lines) return
  const logs = await api.open('GET', `/containers/${subject.name}/logs?stdout=1&stderr=1`)
  const { stdout } = demultiplex(await buffer(logs.body))
  assert.deepEqual(stdout.split('\n').slice(0, -1), subject.lines, subject.name)
}

async function crashOnce(daemon: TestDaemon, all: readonly Subject[]): Promise<void> {
  const { api } = daemon
  const launched = Promise.all(all.map((subject) => launch(api, subject)))
  launched.catch(() => {}) // told at its await: the deaths come first
  await sleep(Math.random() * 1500)
  await Promise.allSettled(all.slice(0, 4).map(({ name }) => attachLoosely(api, name)))
  const before = await Promise.all(all.map(({ name }) => inspect(api, name).catch(() => undefined)))
  const running = before.flatMap((one) =>
    one?.State.Running ? [{ pid: one.State.Pid, began: beginOf(one.State.Pid) }] : [],
  )
  const kept = new Map(running.map(({ pid, began }) => [pid, began]))
  const deaths = 1 + Math.floor(Math.random() * 3)
  for (let i = 0; i < deaths; i++) {
    await sleep(i === 0 ? 0 : Math.random() * 600)
    await daemon.kill('SIGKILL')
    await sleep(Math.random() * 500)
    await daemon.start()
  }
  await launched
  const lasting = all.filter(({ isRemoved }) => !isRemoved)
  for (const { State: state } of await Promise.all(lasting.map(({ name }) => inspect(api, name)))) {
    const began = state.Running ? kept.get(state.Pid) : undefined
    const now = beginOf(state.Pid) // undefined: it has ended since
    if (began !== undefined && now !== undefined) assert.equal(now, began)
  }
}

/** An engine with the busybox image, ended with the test; its log is shown when the test fails. */
async function daemonFor(t: TestContext): Promise<TestDaemon> {
  const daemon = await startDaemon()
  t.after(async () => {
    if (!t.passed) console.error(daemon.log())
    await daemon[Symbol.asyncDispose]()
  })
  await loadFixture(daemon.api, 'busybox')
  return daemon
}

for (let round = 1; round <= rounds; round++) {
  test(`a container notices nothing of berthd's death (round ${round} of ${rounds})`, async (t) => {
    const daemon = await daemonFor(t)
    const all = subjects(round)
    await crashOnce(daemon, all)
    await Promise.all(all.map((subject) => settle(daemon.api, subject)))
    for (const subject of all) await judge(daemon.api, subject)
    for (const { name } of all.slice(-2)) assert.equal((await inspect(daemon.api, name)).State.Status, 'running')
  })
}

test('a container that berthd has adopted can be attached to, waited for, run in, and is probed', async (t) => {
  const daemon = await daemonFor(t)
  const { api } = daemon
  const healthcheck = { Test: ['CMD', 'test', '-e', '/well'], Interval: 100_000_000, Retries: 1 }
  const stdin = { OpenStdin: true, AttachStdin: true }
  const config = { Image: 'busybox', Cmd: ['cat'], Healthcheck: healthcheck, ...stdin }
  await api.json('POST', '/containers/create?name=adopted', config)
  await api.json('POST', '/containers/adopted/start')
  await daemon.kill('SIGKILL')
  await daemon.start()
  const waiting = api.json('POST', '/containers/adopted/wait?condition=next-exit')
  await until(async () => (await healthOf(api, 'adopted')) === 'unhealthy')
  const { Id } = (await api.json('POST', '/containers/adopted/exec', { Cmd: ['touch', '/well'] })) as { Id: string }
  await api.request('POST', `/exec/${Id}/start`, { Detach: true })
  await until(async () => (await healthOf(api, 'adopted')) === 'healthy')
  const { socket } = await api.hijack('POST', '/containers/adopted/attach?stream=1&stdin=1&stdout=1')
  const output = buffer(socket)
  const echoed = once(socket, 'data')
  socket.write('through the new one')
  await echoed
  await api.json('POST', '/containers/adopted/kill')
  assert.equal(demultiplex(await output).stdout, 'through the new one')
  assert.equal(((await waiting) as { StatusCode: number }).StatusCode, 137)
})

async function healthOf(api: EngineApi, name: string): Promise<string | undefined> {
  const { State: state } = (await api.json('GET', `/containers/${name}/json`)) as {
    State: { Health?: { Status: string } }
  }
  return state.Health?.Status
}

test('berthd goes on when the supervisor dies, and says that the containers ended', async (t) => {
  const daemon = await daemonFor(t)
  const lost: Subject = { name: 'lost', script: 'exec sleep 100000' }
  await launch(daemon.api, lost)
  const { State: state } = await inspect(daemon.api, 'lost')
  const supervisors = daemon.supervisors()
  assert.equal(supervisors.length, 1)
  process.kill(supervisors[0]!, 'SIGKILL')
  await until(async () => !(await inspect(daemon.api, 'lost')).State.Running)
  await until(() => !isAlive(state.Pid))
  await launch(daemon.api, { name: 'next', script: 'exit 4' })
  await until(async () => (await inspect(daemon.api, 'next')).State.ExitCode === 4)
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
