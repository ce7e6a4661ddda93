// The networks' own work, measured in this process: no API, no container, no OCI runtime. Root only.
//   npm run bench:networks
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { decodeNetworkCreate, type PortMap } from '@berth/engine-api'
import { createEvents } from '@berth/events'
import { type AttachRequest, type Networks, openNetworks } from '@berth/networks'
import { buildAttachRequest } from '../../packages/services/networks/src/testing/attach-request.ts'
import { median } from './table.ts'

const insideVariable = 'BERTH_BENCH_INSIDE'
const warmUps = 20
const rounds = 200
const atOnce = 64
const manyPorts = 10_000

interface Bench {
  readonly networks: Networks
  /** In memory, as /run is. */
  readonly root: string
}

async function main(): Promise<void> {
  if (process.env[insideVariable] === undefined) return runInNamespaces()
  const root = mkdtempSync('/dev/shm/berth-bench-')
  using stack = new DisposableStack()
  stack.defer(() => rmSync(root, { recursive: true }))
  const database = stack.use(openDatabase(':memory:'))
  await using networks = await openNetworks({ database, runRoot: root, logger: silentLogger, events: createEvents() })
  const bench = { networks, root }
  await networks.create(decodeNetworkCreate({ Name: 'users' }, 51))
  console.log('| what | result |\n| --- | ---: |')
  await measureCycles(bench, 'bridge')
  await measureCycles(bench, 'users')
  await measureSpread(bench)
  await measureManyPorts(bench)
  await networks.reconcile([])
}

function runInNamespaces(): void {
  const script = 'ip link set lo up && exec "$@"'
  // As bin/berth starts the daemon.
  const node = [process.execPath, '--optimize-for-size', '--expose-gc', ...process.argv.slice(1)]
  const env = { ...process.env, MALLOC_ARENA_MAX: '2', [insideVariable]: '1' }
  const args = ['-mn', '--propagation', 'private', 'sh', '-c', script, 'bench', ...node]
  process.exitCode = spawnSync('unshare', args, { stdio: 'inherit', env }).status ?? 1
}

const show = (what: string, value: number, unit: string): void =>
  console.log(`| ${what} | ${value.toFixed(value < 100 ? 2 : 0)} ${unit} |`)

/** One endpoint with one published port, made and taken away. */
async function measureCycles(bench: Bench, mode: string): Promise<void> {
  const times: { readonly attachMs: number; readonly detachMs: number }[] = []
  for (let round = -warmUps; round < rounds; round++) {
    const time = await cycle(bench, buildRequest(bench, { mode }))
    if (round >= 0) times.push(time)
  }
  const kind = mode === 'bridge' ? 'default bridge' : 'user network'
  show(`attach, ${kind}`, median(times.map(({ attachMs }) => attachMs)), 'ms')
  show(`attach + detach, ${kind}`, median(times.map(({ attachMs, detachMs }) => attachMs + detachMs)), 'ms')
}

async function cycle({ networks }: Bench, request: AttachRequest) {
  const start = performance.now()
  await networks.attach(request)
  const attached = performance.now()
  await networks.detach(request.containerId)
  return { attachMs: attached - start, detachMs: performance.now() - attached }
}

async function measureSpread(bench: Bench): Promise<void> {
  const { networks } = bench
  const requests = Array.from({ length: atOnce }, () => buildRequest(bench))
  const start = performance.now()
  const ends = await Promise.all(
    requests.map((request) => networks.attach(request).then(() => performance.now() - start)),
  )
  show(`${atOnce} at once: from the first to the last`, Math.max(...ends) - Math.min(...ends), 'ms')
  for (const { containerId } of requests) await networks.detach(containerId)
}

async function measureManyPorts(bench: Bench): Promise<void> {
  const bindings = Array.from({ length: manyPorts }, (_, i) => ({ HostIp: '0.0.0.0', HostPort: `${20_000 + i}` }))
  const request = buildRequest(bench, { portBindings: { '80/tcp': bindings } })
  globalThis.gc?.()
  const before = residentMb()
  const start = performance.now()
  await bench.networks.attach(request)
  show(`${manyPorts} ports published`, performance.now() - start, 'ms')
  show(`${manyPorts} ports: memory`, residentMb() - before, 'MB')
  const detach = performance.now()
  await bench.networks.detach(request.containerId)
  show(`${manyPorts} ports taken away`, performance.now() - detach, 'ms')
}

const residentMb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) / 1024

const onePort: PortMap = { '80/tcp': [{ HostIp: '', HostPort: '' }] }

const buildRequest = ({ root }: Bench, wanted: Partial<AttachRequest> = {}): AttachRequest =>
  buildAttachRequest(root, { portBindings: onePort, ...wanted })

await main()
