import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { machine, release } from 'node:os'
import { promisify } from 'node:util'
import type { Cli } from '../cli.ts'
import { clientVersion } from '../client-version.ts'
import { describeFailure } from '../errors.ts'
import type { EngineFacts, Facts } from './judge.ts'

/** Finds out what `judge` wants to know; reads, and changes nothing. */
export async function gatherFacts(cli: Cli): Promise<Facts> {
  const [programs, engine] = await Promise.all([findPrograms(), askEngine(cli)])
  return {
    kernelRelease: release(),
    architecture: machine(),
    fileSystems: read('/proc/filesystems')
      .split('\n')
      .map((line) => line.split('\t').at(-1) ?? ''),
    namespaces: namesIn('/proc/self/ns'),
    seccompActions: read('/proc/sys/kernel/seccomp/actions_avail'),
    cgroup: findCgroups(),
    ipForward: read('/proc/sys/net/ipv4/ip_forward').trim(),
    programs,
    foreignFirewalls: findFirewalls(),
    nameServers: [...read('/etc/resolv.conf').matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1] ?? ''),
    openFiles: openFileLimit(),
    clientVersion,
    engine: 'facts' in engine ? engine.facts : undefined,
    engineProblem: 'problem' in engine ? engine.problem : '',
  }
}

async function askEngine(cli: Cli): Promise<{ facts: EngineFacts } | { problem: string }> {
  try {
    const before = Date.now()
    const [version, info] = await Promise.all([cli.engine.system.version(), cli.engine.system.info()])
    const isLocal = cli.engine.transport.endpoint.kind === 'unix'
    const there = Date.parse(info.SystemTime)
    const facts: EngineFacts = {
      version: version.Version,
      apiVersion: version.ApiVersion,
      isLocal,
      dataRoot: info.DockerRootDir,
      disk: isLocal ? await measureDisk(info.DockerRootDir) : undefined,
      clockSkewMs: Number.isNaN(there) ? 0 : there - (before + Date.now()) / 2,
      warnings: (info.Warnings ?? []).filter((text) => !text.startsWith('[')),
    }
    return { facts }
  } catch (error) {
    return { problem: describeFailure(error) }
  }
}

async function measureDisk(path: string): Promise<EngineFacts['disk']> {
  try {
    const { bavail, blocks, bsize, ffree } = await statfs(path)
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize, freeFiles: ffree }
  } catch {
    return undefined
  }
}

/** The first line of what each program says of its version; undefined for those that are not there. */
async function findPrograms(): Promise<Record<string, string | undefined>> {
  const names = ['crun', 'runc', 'nft']
  const found = names.map(async (name) => [name, await versionOf(name)] as const)
  return Object.fromEntries(await Promise.all(found))
}

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5000, env })
    return stdout.split('\n')[0]
  } catch {
    return undefined
  }
}

function findCgroups(): Facts['cgroup'] {
  const mounts = read('/proc/self/mounts').split('\n')
  const fields = mounts.map((line) => line.split(' ')).filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
  const v1 = fields.filter(([, , type]) => type === 'cgroup').flatMap(([, , , options = '']) => options.split(','))
  const unified = fields.find(([, , type]) => type === 'cgroup2')?.[1]
  const v2 = unified === undefined ? [] : read(`${unified}/cgroup.controllers`).trim().split(' ')
  const known = ['cpu', 'cpuset', 'memory', 'pids', 'io', 'blkio', 'devices', 'hugetlb']
  const controllers = known.filter((name) => v1.includes(name) || v2.includes(name))
  const version = v1.length === 0 ? 'version 2' : unified === undefined ? 'version 1' : 'version 1 beside 2'
  return { version: fields.length === 0 ? 'none' : version, controllers }
}

function findFirewalls(): string[] {
  const ufw = /^ENABLED=yes/m.test(read('/etc/ufw/ufw.conf')) ? ['ufw'] : []
  const firewalld = namesIn('/run/firewalld').length > 0 ? ['firewalld'] : []
  return [...ufw, ...firewalld]
}

function openFileLimit(): number | undefined {
  const limit = /^Max open files\s+(\d+)/m.exec(read('/proc/self/limits'))?.[1]
  return limit === undefined ? undefined : Number(limit)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
