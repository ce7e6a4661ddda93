import type { RunDefaults } from '@berth/builder'
import type { DaemonDefaults } from '@berth/containers'
import type { HostFacts } from '@berth/runtime'

/** What the configuration gives to every RUN of a build: the same confinement as a container's. */
export function runDefaults(
  { seccompProfile, noNewPrivileges, ulimits, cgroupParent }: DaemonDefaults,
  { hasAppArmor }: HostFacts,
): RunDefaults {
  return {
    seccomp: seccompOf(seccompProfile),
    noNewPrivileges,
    ulimits: Object.values(ulimits).map(({ Name, Soft, Hard }) => ({ name: Name, soft: Soft, hard: Hard })),
    cgroupParent,
    appArmorProfile: hasAppArmor ? 'docker-default' : '',
  }
}

function seccompOf(profile: string): RunDefaults['seccomp'] {
  if (profile === 'unconfined') return 'unconfined'
  return profile === '' || profile === 'builtin' ? 'default' : { profile }
}
