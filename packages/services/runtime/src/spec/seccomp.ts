import type { RuntimeSeccomp } from '@berth/oci'
import type { HostFacts } from '../host/host-facts.ts'
import {
  always,
  byArchitecture,
  byCapability,
  deniedFamilies,
  libseccompArchitectures,
  namespaceFlags,
  personalities,
  sinceKernel48,
} from './seccomp-table.ts'

type Rule = NonNullable<RuntimeSeccomp['syscalls']>[number]
type Argument = NonNullable<Rule['args']>[number]
type SeccompFacts = Pick<HostFacts, 'architecture' | 'kernelVersion'>

const ENOSYS = 38
const cache = new Map<string, RuntimeSeccomp>()

/** The default profile for a container with these capabilities. The value is shared: do not change it. */
export function defaultSeccomp(capabilities: readonly string[], facts: SeccompFacts): RuntimeSeccomp {
  const relevant = Object.keys(byCapability).filter((name) => capabilities.includes(name))
  const key = [facts.architecture, hasKernel(facts, 4, 8), ...relevant].join()
  let profile = cache.get(key)
  if (profile === undefined) {
    profile = makeProfile(relevant, facts)
    cache.set(key, profile)
  }
  return profile
}

export function hasKernel(facts: Pick<HostFacts, 'kernelVersion'>, major: number, minor: number): boolean {
  const own = facts.kernelVersion
  return own.major > major || (own.major === major && own.minor >= minor)
}

function makeProfile(capabilities: readonly string[], facts: SeccompFacts): RuntimeSeccomp {
  const isAdmin = capabilities.includes('CAP_SYS_ADMIN')
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: [...(libseccompArchitectures[facts.architecture] ?? [])],
    syscalls: [
      allow(plainNames(capabilities, facts)),
      ...socketRules(),
      ...personalities.map((value) => allow(['personality'], [compare(0, value, 'SCMP_CMP_EQ')])),
      ...(isAdmin ? [] : cloneRules(facts.architecture)),
    ],
  }
}

function plainNames(capabilities: readonly string[], facts: SeccompFacts): string[] {
  return [
    ...new Set([
      ...always,
      ...(hasKernel(facts, 4, 8) ? sinceKernel48 : []),
      ...(byArchitecture[facts.architecture] ?? []),
      ...capabilities.flatMap((name) => byCapability[name] ?? []),
    ]),
  ]
}

/** The known families one by one: "not 38, not 40" would let 2^32 + 38 through, which the kernel reads as 38. */
function socketRules(): Rule[] {
  const { alg, vsock, last } = deniedFamilies
  const above = Array.from({ length: last - alg }, (_, index) => alg + 1 + index).filter((family) => family !== vsock)
  return [
    allow(['socket'], [compare(0, alg, 'SCMP_CMP_LT')]),
    ...above.map((family) => allow(['socket'], [compare(0, family, 'SCMP_CMP_EQ')])),
  ]
}

/** clone without new namespaces; clone3, whose flags are behind a pointer, "does not exist": libc falls back to clone. */
function cloneRules(architecture: string): Rule[] {
  // On s390 the flags are clone's second argument (clone(2), C library/kernel differences).
  const index = architecture === 's390x' ? 1 : 0
  return [
    allow(['clone'], [{ index, value: namespaceFlags, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  ]
}

function allow(names: string[], args?: Argument[]): Rule {
  return args === undefined ? { names, action: 'SCMP_ACT_ALLOW' } : { names, action: 'SCMP_ACT_ALLOW', args }
}

const compare = (index: number, value: number, op: string): Argument => ({ index, value, op })
