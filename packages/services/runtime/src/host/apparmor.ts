import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { messageOf, unavailable } from '@berth/base'

export const defaultAppArmorProfile = 'docker-default'

const parsers = ['/sbin/apparmor_parser', '/usr/sbin/apparmor_parser']
const loadedProfiles = '/sys/kernel/security/apparmor/profiles'

/** Whether the kernel enforces AppArmor and profiles can be loaded. */
export function isAppArmorUsable(): boolean {
  const enabled = '/sys/module/apparmor/parameters/enabled'
  if (!existsSync(enabled) || !readFileSync(enabled, 'utf8').startsWith('Y')) return false
  return existsSync(loadedProfiles) && findParser() !== undefined
}

/** Loads `docker-default` where `profile` is that one and something on the host has unloaded it: call before a process starts. */
export async function ensureAppArmorProfile(profile: string | undefined): Promise<void> {
  if (profile === defaultAppArmorProfile) await ensureDefaultAppArmorProfile()
}

/** Loads `docker-default` unless the kernel has it. */
export async function ensureDefaultAppArmorProfile(): Promise<void> {
  const parser = findParser()
  if (parser === undefined || isLoaded(readFileSync(loadedProfiles, 'utf8'))) return
  await new Promise<void>((resolve, reject) => {
    const child = execFile(parser, ['--skip-cache', '--replace'], { timeout: 30_000 }, (error, _stdout, stderr) => {
      if (error) reject(unavailable(`loading the AppArmor profile: ${stderr.trim() || messageOf(error)}`, error))
      else resolve()
    })
    child.stdin?.end(profileText(includes.filter(existsSync)))
  })
}

export function isLoaded(profiles: string): boolean {
  return profiles.split('\n').some((line) => line.startsWith(`${defaultAppArmorProfile} (`))
}

const findParser = (): string | undefined => parsers.find((path) => existsSync(path))

// Where a distribution keeps what profiles share; one that has only the parser has none of it.
const [tunables, base] = ['/etc/apparmor.d/tunables/global', '/etc/apparmor.d/abstractions/base']
const includes = [tunables, base]

/**
 * Files and network as usual, but no mounts, and nothing of the host's kernel through /proc and /sys (apparmor.d(5)).
 * `there`: which of the distribution's files it may include.
 */
export const profileText = (there: readonly string[]): string => `
${there.includes(tunables) ? `include "${tunables}"` : '@{PROC}=/proc/'}

profile ${defaultAppArmorProfile} flags=(attach_disconnected,mediate_deleted) {
  ${there.includes(base) ? `include "${base}"` : ''}

  network,
  capability,
  file,
  umount,
  signal (receive) peer=unconfined,
  signal (receive) peer=/usr/bin/crun,
  signal (receive) peer=/usr/{bin,sbin}/runc,
  signal (send,receive) peer=${defaultAppArmorProfile},

  deny @{PROC}/* w,
  deny @{PROC}/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
  deny @{PROC}/sys/[^k]** w,
  deny @{PROC}/sys/kernel/{?,??,[^s][^h][^m]**} w,
  deny @{PROC}/sysrq-trigger rwklx,
  deny @{PROC}/kcore rwklx,

  deny mount,

  deny /sys/[^f]*/** wklx,
  deny /sys/f[^s]*/** wklx,
  deny /sys/fs/[^c]*/** wklx,
  deny /sys/fs/c[^g]*/** wklx,
  deny /sys/fs/cg[^r]*/** wklx,
  deny /sys/firmware/** rwklx,
  deny /sys/devices/virtual/powercap/** rwklx,
  deny /sys/kernel/security/** rwklx,

  ptrace (trace,read,tracedby,readby) peer=${defaultAppArmorProfile},
}
`
