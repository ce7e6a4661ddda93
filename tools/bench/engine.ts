import { Agent, request } from 'node:http'
import { readdirSync, readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'
import { command, fixtureImage, imageArchive } from '@berth/testing'

export const image = 'berth-bench:latest'

/** An engine under measurement; every one is asked by the same client in the same way. */
export class BenchEngine {
  readonly name: string
  readonly host: string
  /** Root processes of the engine, as given or found. */
  roots: number[]
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #socketPath: string
  #count = 0

  /** `spec`: NAME=unix:///path[,pids=1+2]. */
  constructor(spec: string) {
    const [, name, path, pids] = /^([\w.-]+)=unix:\/\/([^,]+)(?:,pids=([\d+]+))?$/.exec(spec) ?? []
    if (!name || !path) throw new Error(`${spec}: expected NAME=unix:///path[,pids=PID+PID]`)
    this.name = name
    this.host = `unix://${path}`
    this.#socketPath = path
    this.roots = pids ? pids.split('+').map(Number) : processesNaming(path)
  }

  newName(): string {
    return `bench-${process.pid}-${++this.#count}`
  }

  /** One request over a kept connection; throws unless it succeeds. */
  async call(method: string, path: string, body?: object | Readable): Promise<Buffer> {
    const isStream = body instanceof Readable
    const type = body && !isStream ? { 'Content-Type': 'application/json' } : {}
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const options = {
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path,
      headers: { Host: 'bench', ...type },
    }
    const outgoing = request(options, (answer) => {
      const ok = (answer.statusCode ?? 500) < 400
      buffer(answer).then((bytes) => (ok ? resolve(bytes) : reject(new Error(`${method} ${path}: ${bytes}`))), reject)
    })
    outgoing.on('error', reject)
    if (isStream) body.pipe(outgoing)
    else outgoing.end(body && JSON.stringify(body))
    return promise
  }

  /** Bytes of an answer that is thrown away. */
  async drain(path: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    request({ socketPath: this.#socketPath, path, headers: { Host: 'bench' }, agent: false }, (answer) => {
      let count = 0
      answer.on('data', (chunk: Buffer) => (count += chunk.length))
      answer.on('end', () => resolve(count))
      answer.on('error', reject)
    })
      .on('error', reject)
      .end()
    return promise
  }

  async json<T>(method: string, path: string, body?: object): Promise<T> {
    return JSON.parse((await this.call(method, path, body)).toString()) as T
  }

  /** A container with port 80 exposed: dockerd publishes no other. */
  async create(cmd: readonly string[], hostConfig: object = {}): Promise<string> {
    const exposed = { ExposedPorts: { '80/tcp': {} } }
    const body = { Image: image, Cmd: cmd, HostConfig: hostConfig, Labels: { 'berth-bench': '1' }, ...exposed }
    return (await this.json<{ Id: string }>('POST', `/containers/create?name=${this.newName()}`, body)).Id
  }

  /** A real docker CLI against this engine; throws unless it exits with 0. */
  async docker(...args: string[]): Promise<void> {
    const file = process.env['BERTH_DOCKER_CLI'] ?? 'docker'
    const { code, stderr } = await command(file, args, { env: { DOCKER_HOST: this.host } })
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  }

  async setUp(): Promise<void> {
    const busybox = { ...(await fixtureImage('busybox')), reference: image }
    await this.call('POST', '/images/load?quiet=1', Readable.from(imageArchive(busybox)))
    await this.cleanUp()
  }

  async cleanUp(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: ['berth-bench'] }))
    const left = await this.json<{ Id: string }[]>('GET', `/containers/json?all=1&filters=${filters}`)
    await Promise.all(left.map(({ Id }) => this.call('DELETE', `/containers/${Id}?force=1&v=1`)))
  }

  /** MB of PSS of the engine's processes: its roots, their descendants, and every ancestor of a container; no container. */
  async memory(): Promise<number> {
    const parents = parentsOfAll()
    const running = await this.json<{ Id: string }[]>('GET', '/containers/json')
    const pids = await Promise.all(
      running.map(
        async ({ Id }) => (await this.json<{ State: { Pid: number } }>('GET', `/containers/${Id}/json`)).State.Pid,
      ),
    )
    const own = new Set(this.roots.flatMap((pid) => descendants(parents, pid)))
    for (const pid of pids) for (let up = parents.get(pid) ?? 0; up > 1; up = parents.get(up) ?? 0) own.add(up)
    for (const pid of pids) for (const inner of descendants(parents, pid)) own.delete(inner)
    this.roots = [...new Set([...this.roots, ...own])]
    return [...own].reduce((sum, pid) => sum + pssKb(pid), 0) / 1024
  }
}

function processesNaming(socketPath: string): number[] {
  const tail = socketPath.split('/').slice(-2).join('/')
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
  return pids.filter(
    (pid) => /dockerd|daemon/.test(read(`/proc/${pid}/cmdline`)) && read(`/proc/${pid}/cmdline`).includes(tail),
  )
}

function parentsOfAll(): Map<number, number> {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
  return new Map(pids.map((pid) => [pid, Number(read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ')[1] ?? 0)]))
}

function descendants(parents: ReadonlyMap<number, number>, root: number): number[] {
  const children = [...parents].filter(([, parent]) => parent === root).map(([pid]) => pid)
  return [root, ...children.flatMap((pid) => descendants(parents, pid))]
}

const pssKb = (pid: number): number => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
