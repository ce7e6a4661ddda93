import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { TestDaemon } from './daemon.ts'
import { commandLine } from './host-state.ts'
import { processesInside } from './sandbox.ts'
import { until } from './until.ts'

/** What an engine holds, one line per thing (numbered ones by their count): mounts, directories, namespaces, links, firewall, cgroups, processes. */
export function readInventory(daemon: TestDaemon): string[] {
  const { dataRoot, runRoot } = daemon
  const directories = [
    ...[
      'containers',
      'snapshots',
      'snapshots/tmp',
      'content/ingest',
      'content/blobs/sha256',
      'volumes',
      'volumes/.trash',
    ].map((name) => join(dataRoot, name)),
    ...['netns', 'networks', 'bundles', 'oci'].map((name) => join(runRoot, name)),
  ]
  return [
    ...mountsBelow(daemon),
    ...directories.flatMap((path) => filesIn(path)),
    ...links(daemon.sandbox.pid),
    ...firewall(daemon),
    ...cgroupsOf(daemon.sandbox.name),
    ...strangers(daemon),
  ].toSorted()
}

/** Waits until the engine holds what it held before; throws the differences after five seconds. */
export async function restored(daemon: TestDaemon, before: readonly string[]): Promise<void> {
  try {
    await until(() => differences(before, readInventory(daemon)).length === 0, 5000)
  } catch (error) {
    throw new Error(differences(before, readInventory(daemon)).join('\n'), { cause: error })
  }
}

function differences(before: readonly string[], after: readonly string[]): string[] {
  return [
    ...after.filter((line) => !before.includes(line)).map((line) => `left behind: ${line}`),
    ...before.filter((line) => !after.includes(line)).map((line) => `missing: ${line}`),
  ]
}

function mountsBelow({ sandbox, dataRoot, runRoot }: TestDaemon): string[] {
  const targets = readFileSync(`/proc/${sandbox.pid}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return targets
    .filter((target) => target.startsWith(`${dataRoot}/`) || target.startsWith(`${runRoot}/`))
    .map((target) => `mount ${target}`)
}

function filesIn(path: string): string[] {
  const all = names(path)
  const numbered = all.filter((name) => /^\d+$/.test(name)).map((_, i) => `#${i}`)
  const named = all.filter((name) => !/^\d+$/.test(name))
  return [...numbered, ...named].map((name) => `file ${basename(path)}/${name}`)
}

function links(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/net/dev`, 'utf8').split('\n').slice(2)
  return lines.map((line) => `link ${line.split(':')[0]?.trim()}`).filter((line) => line !== 'link ')
}

function firewall({ sandbox }: TestDaemon): string[] {
  const { file, args, env } = sandbox.enter(['nft', 'list', 'ruleset'])
  const rules = execFileSync(file, args, { env, encoding: 'utf8' }).split('\n')
  return rules.filter((line) => line.trim() !== '').map((line) => `nft ${line.trim()}`)
}

function cgroupsOf(parent: string): string[] {
  return ['', ...names('/sys/fs/cgroup')].flatMap((hierarchy) =>
    directoriesIn(join('/sys/fs/cgroup', hierarchy, parent)).map((name) => `cgroup ${hierarchy}/${name}`),
  )
}

function strangers(daemon: TestDaemon): string[] {
  const own = new Set([daemon.pid, ...daemon.supervisors()])
  const isOwn = (pid: number) => own.has(pid) || /daemon\.cjs|layer-worker/.test(commandLine(pid))
  return processesInside(daemon.sandbox)
    .filter((pid) => !isOwn(pid))
    .map((pid) => `process ${commandLine(pid)}`)
}

function names(path: string): string[] {
  return entries(path).map(({ name }) => name)
}

const directoriesIn = (path: string): string[] =>
  entries(path)
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)

function entries(path: string) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return []
  }
}
