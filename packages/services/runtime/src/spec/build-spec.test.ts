import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildSpec } from './build-spec.ts'
import { specInput, testFacts } from './fixtures.ts'
import type { SpecInput, SpecMount } from './input.ts'

const bind = (source: string, destination: string, changes: object = {}): SpecMount => ({
  type: 'bind',
  source,
  destination,
  readOnly: false,
  recursive: true,
  readOnlyRecursion: 'if-possible',
  propagation: 'rprivate',
  ...changes,
})

const privileged: Partial<SpecInput> = { isPrivileged: true, maskedPaths: [], readonlyPaths: [] }

/** Each is compared with testdata/<name>.json; `UPDATE_GOLDEN=1` writes them anew, to be reviewed. */
const cases: Record<string, Partial<SpecInput>> = {
  base: {},
  privileged: {
    ...privileged,
    devices: [
      { type: 'c', path: '/dev/x', major: 10, minor: 1, fileMode: 0o600, uid: 0, gid: 0, cgroupPermissions: 'rwm' },
    ],
  },
  'privileged-readonly': { ...privileged, isRootReadOnly: true, seccomp: 'unconfined' },
  'cap-add-drop': { capAdd: ['CAP_NET_ADMIN'], capDrop: ['CAP_MKNOD'] },
  'cap-add-all': { capAdd: ['ALL'], capDrop: ['CAP_SYS_ADMIN'] },
  'cap-drop-all': { capAdd: ['CAP_CHOWN'], capDrop: ['ALL'] },
  mounts: {
    mounts: [
      bind('/opt', '/a/b/c'),
      bind('/mnt', '/x', { readOnly: true }),
      { type: 'tmpfs', destination: '/t', options: ['size=1m', 'exec'] },
      { type: 'tmpfs', destination: '/u', options: ['mode=700'], readOnly: true },
      bind('/opt', '/o', { readOnly: true, readOnlyRecursion: 'none' }),
      bind('/opt', '/n', { recursive: false, readOnly: true, readOnlyRecursion: 'force' }),
      bind('/hosts', '/etc/hosts'),
      bind('/shm', '/dev/shm', { propagation: 'rslave' }),
    ],
  },
  'readonly-rootfs': { isRootReadOnly: true, shm: { sizeBytes: 1048576 } },
  'host-network': { namespaces: { ...specInput().namespaces, network: 'host' }, hostname: 'vm' },
  'host-everything': {
    namespaces: { pid: 'host', network: 'host', ipc: 'host', uts: 'host', cgroup: 'host' },
    shm: { path: '/dev/shm' },
    domainname: 'ignored',
  },
  joined: {
    namespaces: {
      pid: { path: '/proc/7/ns/pid' },
      network: { path: '/run/netns/other' },
      ipc: { path: '/proc/7/ns/ipc' },
      uts: 'private',
      cgroup: 'private',
    },
    isNetworkShared: true,
    shm: { path: '/c/other/shm' },
  },
  'ipc-none': { shm: undefined },
  init: { initPath: '/usr/bin/tini', terminal: true, consoleSize: { rows: 24, columns: 80 } },
  user: {
    user: { uid: 1000, gid: 1002, additionalGids: [1002, 55, 10], home: '/home/foo' },
    domainname: 'dd',
    sysctls: { 'net.ipv4.ip_forward': '1' },
    oomScoreAdj: 5,
    annotations: { k: 'v' },
    noNewPrivileges: true,
    cwd: '/wd',
    facts: { ...testFacts, hasAppArmor: true },
    appArmorProfile: 'docker-default',
  },
  devices: {
    devices: [
      { type: 'c', path: '/dev/x', major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0, cgroupPermissions: 'r' },
    ],
    deviceRules: [{ type: 'c', major: 42, minor: -1, access: 'rmw' }],
  },
  limits: {
    resources: { memory: { limit: 67108864 }, cpu: { quota: 50000, period: 100000 }, pids: { limit: 10 } },
    ulimits: [
      { name: 'nofile', soft: 10, hard: 20 },
      { name: 'core', soft: -1, hard: -1 },
    ],
    hasWritableCgroups: true,
  },
}

for (const [name, changes] of Object.entries(cases)) {
  test(`buildSpec() writes testdata/${name}.json`, () => {
    const path = new URL(`./testdata/${name}.json`, import.meta.url)
    const spec = buildSpec(specInput(changes))
    // The profile is seccomp.test.ts's matter.
    if (spec.linux.seccomp) spec.linux.seccomp = { defaultAction: spec.linux.seccomp.defaultAction }
    const text = `${JSON.stringify(spec, undefined, 2)}\n`
    if (process.env.UPDATE_GOLDEN) writeFileSync(path, text)
    assert.equal(text, readFileSync(path, 'utf8'))
  })
}

const rootPropagationWith = (propagation: string) =>
  buildSpec(specInput({ mounts: [bind('/mnt', '/x', { propagation })] })).linux.rootfsPropagation

test('buildSpec() passes mount events on through the root when a bind is a slave or shared', () => {
  assert.deepEqual(['rprivate', 'rslave', 'rshared'].map(rootPropagationWith), [undefined, 'rslave', 'shared'])
})

test('buildSpec() refuses a forced recursive read-only bind where the kernel has none', () => {
  const facts = { ...testFacts, kernelVersion: { major: 5, minor: 10, release: '5.10' } }
  const mounts = [bind('/mnt', '/x', { readOnly: true, readOnlyRecursion: 'force' })]
  assert.throws(() => buildSpec(specInput({ facts, mounts })), /Linux 5\.12 is needed/)
})
