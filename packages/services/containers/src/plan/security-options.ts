import { invalid, parseGoBool } from '@berth/base'
import type { HostConfig } from '@berth/engine-api'
import type { DaemonDefaults } from './types.ts'

export interface SecurityOptions {
  readonly noNewPrivileges: boolean
  readonly hasWritableCgroups: boolean
  /** '' chooses the default. */
  readonly appArmorProfile: string
  readonly seccomp: 'default' | 'unconfined' | { readonly profile: string }
}

/** What `--security-opt` asks for. Throws `invalid` in Docker's words. */
export function parseSecurityOptions(
  options: readonly string[],
  defaults: Pick<DaemonDefaults, 'noNewPrivileges' | 'seccompProfile'>,
): SecurityOptions {
  const initial: SecurityOptions = {
    noNewPrivileges: defaults.noNewPrivileges,
    hasWritableCgroups: false,
    appArmorProfile: '',
    seccomp: seccompOf(defaults.seccompProfile),
  }
  return options.reduce((parsed, option) => ({ ...parsed, ...parseOption(option, defaults.seccompProfile) }), initial)
}

function parseOption(option: string, defaultProfile: string): Partial<SecurityOptions> {
  if (option === 'no-new-privileges') return { noNewPrivileges: true }
  if (option === 'writable-cgroups') return { hasWritableCgroups: true }
  if (option === 'disable') return {}
  const separator = option.includes('=') ? '=' : ':'
  const at = option.indexOf(separator)
  if (at < 0) throw invalid(`invalid --security-opt 1: ${JSON.stringify(option)}`)
  const value = option.slice(at + 1)
  switch (option.slice(0, at)) {
    // SELinux labels: accepted and without effect where the host has none, as in Docker.
    case 'label':
      return {}
    case 'apparmor':
      return { appArmorProfile: value }
    case 'seccomp':
      return { seccomp: seccompOf(value, defaultProfile) }
    case 'no-new-privileges':
      return { noNewPrivileges: flag(option, value) }
    case 'writable-cgroups':
      return { hasWritableCgroups: flag(option, value) }
    default:
      throw invalid(`invalid --security-opt 2: ${JSON.stringify(option)}`)
  }
}

function seccompOf(value: string, otherwise = ''): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined'
  if (value === 'builtin') return 'default'
  if (value === '') return otherwise === '' ? 'default' : seccompOf(otherwise)
  return { profile: value }
}

function flag(option: string, value: string): boolean {
  const parsed = parseGoBool(value)
  if (parsed === undefined) throw invalid(`invalid --security-opt 2: ${JSON.stringify(option)}`)
  return parsed
}

/** The options as inspect shows them: without labels of its own, a container that shares with the host has none. */
export function shownSecurityOptions({ SecurityOpt, IpcMode, PidMode, Privileged }: HostConfig): string[] | null {
  const own = SecurityOpt ?? []
  const hasLabel = own.some((option) => option.split('=', 1)[0] === 'label')
  const sharesWithHost = Privileged || IpcMode === 'host' || PidMode === 'host'
  return sharesWithHost && !hasLabel ? [...own, 'label=disable'] : SecurityOpt
}
