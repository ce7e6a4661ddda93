import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EngineFacts, type Facts, judge } from './judge.ts'

const engine: EngineFacts = {
  version: '1.0',
  apiVersion: '1.51',
  isLocal: true,
  dataRoot: '/var/lib/berth',
  disk: { freeBytes: 50 * 2 ** 30, sizeBytes: 100 * 2 ** 30, freeFiles: 1e6 },
  clockSkewMs: 5,
  warnings: [],
}
const healthy: Facts = {
  kernelRelease: '6.1.0-9-amd64',
  architecture: 'x86_64',
  fileSystems: ['overlay', 'tmpfs'],
  namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'],
  seccompActions: 'kill_process errno allow',
  cgroup: { version: 'version 2', controllers: ['cpu', 'memory', 'pids'] },
  ipForward: '1',
  programs: { crun: 'crun version 1.8', nft: 'nftables v1.0' },
  foreignFirewalls: [],
  nameServers: ['10.0.0.1'],
  openFiles: 65536,
  clientVersion: '1.0',
  engine,
  engineProblem: '',
}

/** `check: verdict` of all that is not well. */
function complaints(changed: Partial<Facts>): string[] {
  const findings = judge({ ...healthy, ...changed }).filter(({ Verdict }) => Verdict !== 'ok')
  for (const { Remedy, Check } of findings) assert.notEqual(Remedy, '', Check)
  return findings.map(({ Check, Verdict }) => `${Check}: ${Verdict}`)
}

const cases: [what: string, changed: Partial<Facts>, complaints: string[]][] = [
  ['a healthy host', {}, []],
  ['no engine', { engine: undefined, engineProblem: 'Cannot connect' }, ['engine: problem']],
  ['another version', { clientVersion: '2.0' }, ['versions: warning']],
  ['an old kernel', { kernelRelease: '4.19.0' }, ['kernel: problem']],
  ['a missing namespace', { namespaces: ['mnt', 'net'] }, ['namespaces: problem']],
  ['no overlayfs', { fileSystems: ['ext4'] }, ['overlayfs: warning']],
  ['no seccomp', { seccompActions: '' }, ['seccomp: warning']],
  ['no memory controller', { cgroup: { version: 'version 1', controllers: ['cpu', 'pids'] } }, ['cgroups: problem']],
  ['no programs', { programs: {} }, ['OCI runtime: problem', 'firewall: problem']],
  ['ufw', { foreignFirewalls: ['ufw'] }, ['firewall: warning']],
  ['no forwarding', { ipForward: '0' }, ['forwarding: warning']],
  ['no name server', { nameServers: [] }, ['DNS: warning']],
  ['few descriptors', { openFiles: 256 }, ['open files: warning']],
  [
    'a full disk',
    { engine: { ...engine, disk: { freeBytes: 1, sizeBytes: 2 ** 40, freeFiles: 1e6 } } },
    ['disk: problem'],
  ],
  ['few inodes', { engine: { ...engine, disk: { ...engine.disk!, freeFiles: 3 } } }, ['disk: warning']],
  ['a skewed clock', { engine: { ...engine, clockSkewMs: -90_000 } }, ['clock: warning']],
]

for (const [what, changed, expected] of cases) {
  test(`judge() on ${what}`, () => assert.deepEqual(complaints(changed), expected))
}
