import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { arch, cpus, hostname, release, totalmem } from 'node:os'
import { delimiter, join } from 'node:path'
import { invalid } from '@berth/base'
import { lastCapability } from '@berth/linux'
import { allCapabilities } from '../spec/capabilities.ts'
import { isAppArmorUsable } from './apparmor.ts'
import { readCgroupFacts } from './cgroup-facts.ts'
import type { HostFacts } from './host-facts.ts'

/**
 * Reads what this machine can do. A few dozen small files: once, at start. `initProgram`: the init of containers, a path or
 * a name that is looked up; '' is the first that is found. Throws `invalid` where there is no such program.
 */
export function readHostFacts({ initProgram = '' }: { readonly initProgram?: string } = {}): HostFacts {
  const status = readFileSync('/proc/self/status', 'utf8')
  const known = allCapabilities.slice(0, lastCapability() + 1)
  const cpuCount = cpus().length
  return {
    cgroup: readCgroupFacts(),
    architecture: goArchitecture(arch()),
    kernelVersion: parseKernelVersion(release()),
    cpuCount,
    memoryBytes: totalmem(),
    capabilities: known,
    boundingCapabilities: capabilitiesOf(status, known),
    hasAppArmor: isAppArmorUsable(),
    hasSeccomp: /^Seccomp:/m.test(status),
    hasSelinux: existsSync('/sys/fs/selinux/enforce'),
    hasCgroupNamespaces: existsSync('/proc/self/ns/cgroup'),
    hasUserNamespaces: existsSync('/proc/self/ns/user'),
    initPath: initProgram === '' ? findProgram(initNames) : requireInit(initProgram),
    hostname: hostname(),
    thermalThrottlePaths: thermalThrottlePaths(cpuCount),
  }
}

/** `6.18.44-fc` is 6 and 18. */
export function parseKernelVersion(text: string): HostFacts['kernelVersion'] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(text) ?? []
  return { major: Number(major), minor: Number(minor), release: text }
}

/** The names of the bits of `CapBnd` in /proc/<pid>/status. */
export function capabilitiesOf(status: string, known: readonly string[]): string[] {
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return known.filter((_, bit) => (mask >> BigInt(bit)) & 1n)
}

function goArchitecture(nodeArchitecture: string): string {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }
  return names[nodeArchitecture] ?? nodeArchitecture
}

// Static ones first: a dynamic one only starts in images that have its C library.
const initNames = ['docker-init', 'tini-static', 'catatonit', 'tini']

function requireInit(program: string): string {
  const found = program.includes('/') ? [program].find(isExecutable) : findProgram([program])
  if (found === undefined) throw invalid(`invalid --init-path: there is no executable file ${program}`)
  return found
}

/** The first of them on PATH or in the places distributions keep helpers. */
function findProgram(names: readonly string[]): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/libexec/docker', '/usr/libexec/podman']
  const paths = names.flatMap((name) => directories.filter(Boolean).map((directory) => join(directory, name)))
  return paths.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function thermalThrottlePaths(cpuCount: number): string[] {
  return Array.from({ length: cpuCount }, (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`).filter(
    (path) => existsSync(path),
  )
}
