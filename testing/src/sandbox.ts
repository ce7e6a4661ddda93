import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { leaksSince, readHostState, sandboxVariable } from './host-state.ts'

/** A mount and a network namespace of their own, kept by a sleeping process. */
export interface Sandbox {
  /** Also the cgroup parent of what runs inside, where that can be told. */
  readonly name: string
  /** The process that keeps the namespaces. */
  readonly pid: number
  /** For `nsenter --net=`. */
  readonly netns: string
  /** Puts `command` inside: argv for spawn, with `env`'s marker of the sandbox. */
  enter(command: readonly string[]): { readonly file: string; readonly args: string[]; readonly env: NodeJS.ProcessEnv }
  /** Ends the holder, and returns what was left on the host. */
  close(): Promise<string[]>
}

let count = 0

/** Makes a sandbox with `lo` up. Needs root. */
export async function createSandbox(): Promise<Sandbox> {
  const before = readHostState()
  const name = `berth-sandbox-${process.pid}-${++count}`
  const env = { ...process.env, [sandboxVariable]: name }
  const script = '(ip link set lo up || busybox ip link set lo up) && echo ready && exec sleep infinity'
  // the holder ends with the test process, however that ends
  const holder = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', '-m', '-n', '--propagation', 'private', 'sh', '-c', script],
    {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  const first = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit').then(() => undefined)])
  if (!first) throw new Error('the sandbox did not start: unshare needs root')
  holder.stdout.destroy()
  const pid = holder.pid!
  const close = async (): Promise<string[]> => {
    if (holder.exitCode === null && holder.signalCode === null) {
      holder.kill('SIGKILL')
      await once(holder, 'exit')
    }
    return (await leaksSince(before, name)).filter((leak) => isOurs(leak, name))
  }
  return {
    name,
    pid,
    netns: `/proc/${pid}/ns/net`,
    enter: (command) => ({ file: 'nsenter', args: ['--mount', '--net', '-t', String(pid), '--', ...command], env }),
    close,
  }
}

/** The cgroup tree is everybody's: what is in it counts when it bears the sandbox's name. */
const isOurs = (leak: string, name: string): boolean => !leak.startsWith('cgroup ') || leak.includes(`/${name}`)

/** Every process in the sandbox's mount namespace but its holder. */
export function processesInside(sandbox: Sandbox): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== sandbox.pid && isInside(sandbox, pid))
}

/** Whether `pid` lives in the sandbox's mount namespace. */
export function isInside(sandbox: Sandbox, pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync(`/proc/${sandbox.pid}/ns/mnt`)
  } catch {
    return false
  }
}
