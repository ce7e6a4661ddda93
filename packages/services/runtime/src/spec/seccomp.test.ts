import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuntimeSeccomp } from '@berth/oci'
import { allCapabilities, defaultCapabilities } from './capabilities.ts'
import { testFacts } from './fixtures.ts'
import { defaultSeccomp } from './seccomp.ts'
import { parseSeccompProfile } from './seccomp-profile.ts'

const plain = (profile: RuntimeSeccomp): string[] =>
  (profile.syscalls ?? [])
    .filter(({ args, action }) => args === undefined && action === 'SCMP_ACT_ALLOW')
    .flatMap(({ names }) => names)

const rulesOf = (profile: RuntimeSeccomp, name: string) =>
  (profile.syscalls ?? []).filter(({ names }) => names.includes(name))

test('defaultSeccomp() refuses what it does not name with EPERM', () => {
  const { defaultAction, defaultErrnoRet, architectures } = defaultSeccomp(defaultCapabilities, testFacts)
  assert.deepEqual([defaultAction, defaultErrnoRet], ['SCMP_ACT_ERRNO', 1])
  assert.deepEqual(architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'])
})

test('defaultSeccomp() keeps dangerous calls from a container without capabilities for them', () => {
  const names = plain(defaultSeccomp(defaultCapabilities, testFacts))
  const dangerous =
    'io_uring_setup io_uring_enter bpf mount umount2 setns unshare keyctl add_key request_key userfaultfd init_module kexec_load perf_event_open open_by_handle_at reboot swapon clone clone3 socket personality ptrace_no vm86 nfsservctl'
  assert.deepEqual(
    dangerous.split(' ').filter((name) => names.includes(name)),
    [],
  )
  assert.ok(names.includes('chroot') && names.includes('ptrace') && names.includes('arch_prctl'))
})

test('defaultSeccomp() allows the known socket families but AF_ALG and AF_VSOCK, each by itself', () => {
  const rules = rulesOf(defaultSeccomp(defaultCapabilities, testFacts), 'socket').map(({ args }) => args?.[0])
  assert.deepEqual(rules[0], { index: 0, value: 38, op: 'SCMP_CMP_LT' })
  assert.deepEqual(
    rules.slice(1).map((rule) => `${rule?.op} ${rule?.value}`),
    [39, 41, 42, 43, 44, 45].map((family) => `SCMP_CMP_EQ ${family}`),
  )
})

test('defaultSeccomp() allows clone without namespaces, and lets clone3 look absent', () => {
  const profile = defaultSeccomp(defaultCapabilities, testFacts)
  assert.deepEqual(rulesOf(profile, 'clone')[0]?.args, [
    { index: 0, value: 2114060288, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
  ])
  assert.deepEqual(rulesOf(profile, 'clone3'), [{ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }])
})

test('defaultSeccomp() reads the clone flags from the second argument on s390x', () => {
  const profile = defaultSeccomp([], { ...testFacts, architecture: 's390x' })
  assert.equal(rulesOf(profile, 'clone')[0]?.args?.[0]?.index, 1)
  assert.ok(plain(profile).includes('s390_pci_mmio_read'))
})

test('defaultSeccomp() opens calls by capability', () => {
  const profile = defaultSeccomp(allCapabilities, testFacts)
  const names = plain(profile)
  assert.ok(['mount', 'clone', 'clone3', 'reboot', 'bpf', 'kcmp', 'settimeofday'].every((name) => names.includes(name)))
  assert.equal(rulesOf(profile, 'clone').length, 1)
})

test('defaultSeccomp() keeps ptrace from containers before Linux 4.8', () => {
  const facts = { ...testFacts, kernelVersion: { major: 4, minor: 4, release: '4.4' } }
  assert.ok(!plain(defaultSeccomp(defaultCapabilities, facts)).includes('ptrace'))
})

test("parseSeccompProfile() takes Docker's format: archMap, conditions, the old name", () => {
  const profile = parseSeccompProfile(
    JSON.stringify({
      defaultAction: 'SCMP_ACT_ERRNO',
      defaultErrnoRet: 1,
      archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
      syscalls: [
        { name: 'read', action: 'SCMP_ACT_ALLOW', args: [] },
        { names: ['a'], action: 'SCMP_ACT_ALLOW', includes: { arches: ['arm64'] } },
        { names: ['b'], action: 'SCMP_ACT_ALLOW', includes: { caps: ['CAP_SYS_ADMIN'] } },
        { names: ['c'], action: 'SCMP_ACT_ALLOW', excludes: { caps: ['CAP_CHOWN'] } },
        { names: ['d'], action: 'SCMP_ACT_ALLOW', includes: { minKernel: '7.0' } },
        {
          names: ['e'],
          action: 'SCMP_ACT_ERRNO',
          errnoRet: 38,
          args: [{ index: 1, value: 2, valueTwo: 0, op: 'SCMP_CMP_EQ' }],
        },
      ],
    }),
    defaultCapabilities,
    testFacts,
  )
  assert.deepEqual(profile, {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    syscalls: [
      { names: ['read'], action: 'SCMP_ACT_ALLOW' },
      {
        names: ['e'],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 38,
        args: [{ index: 1, value: 2, valueTwo: 0, op: 'SCMP_CMP_EQ' }],
      },
    ],
  })
})

test('parseSeccompProfile() names what is wrong', () => {
  const cases: [string, RegExp][] = [
    ['foo', /^Decoding seccomp profile failed: /],
    ['[]', /is not an object/],
    ['{}', /is not a valid action/],
    ['{"defaultAction":"X"}', /string X is not a valid action/],
    ['{"defaultAction":"SCMP_ACT_NOTIFY"}', /not supported/],
    ['{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/x"}', /listenerPath is not supported/],
    ['{"defaultAction":"SCMP_ACT_ALLOW","syscalls":{}}', /syscalls is not a list/],
    ['{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"name":"b"}]}', /both 'name' and 'names'/],
    ['{"defaultAction":"SCMP_ACT_ALLOW","architectures":["A"],"archMap":[{}]}', /both 'architectures' and 'archMap'/],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"op":"x"}]}]}',
      /not a valid operator/,
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"includes":{"minKernel":"4"}}]}',
      /invalid kernel version/,
    ],
  ]
  for (const [text, message] of cases) {
    assert.throws(() => parseSeccompProfile(text, [], testFacts), { kind: 'invalid', message }, text)
  }
})
