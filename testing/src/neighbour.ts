import { command } from './command.ts'
import { createSandbox, type Sandbox } from './sandbox.ts'

/** Another host, on a network with the engine's. */
export interface Neighbour extends AsyncDisposable {
  /** What a command there prints. */
  run(...argv: string[]): Promise<string>
  /** What a TCP server says to it; '' where it does not get through within a second. */
  ask(host: string, port: number): Promise<string>
}

/** Addresses of the engine's host and of its neighbour on the network between them. */
export const neighbourhood = { link: 'out0', host: '192.0.2.1', neighbour: '192.0.2.2' } as const

const hostIPv6 = '2001:db8:2::1'
const neighbourIPv6 = '2001:db8:2::2'

/** What a program in a sandbox prints, with what it complains of. */
export async function runInside(sandbox: Sandbox, ...argv: string[]): Promise<string> {
  const { file, args, env } = sandbox.enter(argv)
  const { stdout, stderr } = await command(file, args, { env: env as Record<string, string> })
  return (stdout + stderr).trim()
}

/** Connects a second host to the engine's; it knows a way to the networks of containers. */
export async function connectNeighbour(host: Sandbox): Promise<Neighbour> {
  const sandbox = await createSandbox()
  const run = (...argv: string[]) => runInside(sandbox, ...argv)
  const peer = ['peer', 'name', 'in0', 'netns', String(sandbox.pid)]
  await runInside(host, 'ip', 'link', 'add', neighbourhood.link, 'type', 'veth', ...peer)
  await address(host, neighbourhood.link, [neighbourhood.host, hostIPv6])
  await address(sandbox, 'in0', [neighbourhood.neighbour, neighbourIPv6])
  await run('ip', 'route', 'add', '172.16.0.0/12', 'via', neighbourhood.host)
  await run('ip', '-6', 'route', 'add', 'fd00::/8', 'via', hostIPv6)
  const ask = (to: string, port: number) =>
    run('sh', '-c', `busybox nc -w 1 ${to} ${port} < /dev/null 2>/dev/null; true`)
  return { run, ask, [Symbol.asyncDispose]: async () => void (await sandbox.close()) }
}

async function address(sandbox: Sandbox, link: string, [ipv4, ipv6]: readonly [string, string]): Promise<void> {
  await runInside(sandbox, 'ip', 'address', 'add', `${ipv4}/24`, 'dev', link)
  await runInside(sandbox, 'ip', 'address', 'add', `${ipv6}/64`, 'dev', link, 'nodad')
  await runInside(sandbox, 'ip', 'link', 'set', link, 'up')
}
