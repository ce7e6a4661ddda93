import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { adoptStrayControllers, detectCgroups, releaseStrayControllers, removeCgroup } from '@berth/linux'
import { readDevices, readHostDevices } from '../host/devices.ts'
import { readHostFacts } from '../host/read-host-facts.ts'
import { buildSpec } from './build-spec.ts'
import { specInput } from './fixtures.ts'
import type { SpecInput } from './input.ts'

// What the OCI runtime makes of our spec: a busybox inside prints what it sees.

const facts = readHostFacts()
const scratch = mkdtempSync(join(tmpdir(), 'berth-spec-'))
const rootPath = join(scratch, 'rootfs')
const cgroupParent = `/berth-spec-${process.pid}`
let adopted: string[] = []
let count = 0

before(() => {
  adopted = adoptStrayControllers()
  for (const directory of ['bin', 'etc', 'proc', 'tmp']) mkdirSync(join(rootPath, directory), { recursive: true })
  copyFileSync('/bin/busybox', join(rootPath, 'bin/busybox'))
  chmodSync(join(rootPath, 'bin/busybox'), 0o755)
  for (const applet of ['sh', 'cat', 'id', 'ls', 'mount', 'stat', 'touch', 'unshare', 'grep', 'hostname', 'env']) {
    symlinkSync('busybox', join(rootPath, 'bin', applet))
  }
  writeFileSync(join(scratch, 'hosts'), '127.0.0.1 localhost\n')
})

after(async () => {
  await removeCgroup(detectCgroups(), cgroupParent)
  releaseStrayControllers(adopted, cgroupParent)
  rmSync(scratch, { recursive: true })
})

/** Runs a shell script in a container; returns what it printed. */
function run(script: string, changes: Partial<SpecInput> = {}): string {
  const id = `berth-spec-${process.pid}-${++count}`
  const input = specInput({
    id,
    facts,
    rootPath,
    args: ['sh', '-c', script],
    env: ['PATH=/bin', 'HOME=/'],
    cgroupsPath: `${cgroupParent}/${id}`,
    hostFiles: { hostsPath: join(scratch, 'hosts') },
    namespaces: { pid: 'private', network: 'private', ipc: 'private', uts: 'private', cgroup: 'host' },
    ...changes,
  })
  writeFileSync(join(scratch, 'config.json'), JSON.stringify(buildSpec(input)))
  const args = ['--root', join(scratch, 'state'), 'run', '--bundle', scratch, id]
  const { stdout, stderr } = spawnSync('crun', args, {
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return `${stdout}${stderr}`.trim()
}

test('buildSpec() gives a plain container 14 capabilities, none inheritable, and the filter', () => {
  assert.deepEqual(run("grep -E '^(Cap|Seccomp:|NoNewPrivs)' /proc/self/status").split('\n'), [
    'CapInh:\t0000000000000000',
    'CapPrm:\t00000000a80425fb',
    'CapEff:\t00000000a80425fb',
    'CapBnd:\t00000000a80425fb',
    'CapAmb:\t0000000000000000',
    'NoNewPrivs:\t0',
    'Seccomp:\t2',
  ])
})

test('buildSpec() keeps a container from new namespaces and mounts, unless allowed', () => {
  assert.match(run('unshare -m true'), /Operation not permitted/)
  assert.match(run('mount -t tmpfs x /tmp', { capAdd: ['CAP_NET_ADMIN'] }), /ermi(ssion|tted)/)
  assert.equal(run('mount -t tmpfs x /tmp && echo mounted', { capAdd: ['CAP_SYS_ADMIN'] }), 'mounted')
})

test('buildSpec() runs as a user without capabilities but with its groups', () => {
  const user = { uid: 1000, gid: 1002, additionalGids: [1002, 10], home: '/h' }
  const output = run("id -u; id -G; grep -E '^Cap(Eff|Bnd)|^NoNew' /proc/self/status; pwd", {
    user,
    cwd: '/new/directory',
    noNewPrivileges: true,
  })
  assert.deepEqual(output.split('\n'), [
    '1000',
    '1002 10',
    'CapEff:\t0000000000000000',
    'CapBnd:\t00000000a80425fb',
    'NoNewPrivs:\t1',
    '/new/directory',
  ])
})

test('buildSpec() hides and protects the paths of the kernel', () => {
  assert.match(run('echo 1 > /proc/sys/kernel/panic'), /Read-only file system/)
  assert.match(run('touch /sys/x'), /Read-only file system/)
  assert.equal(run('cat /proc/keys /proc/timer_list; ls /proc/acpi /sys/firmware | grep -v :'), '')
})

test('buildSpec() mounts binds, tmpfs and host files with their options', () => {
  const mounts: SpecInput['mounts'] = [
    {
      type: 'bind',
      source: scratch,
      destination: '/deep/er',
      readOnly: true,
      recursive: true,
      readOnlyRecursion: 'if-possible',
      propagation: 'rprivate',
    },
    { type: 'tmpfs', destination: '/deep', options: ['size=1m', 'mode=700'] },
  ]
  assert.match(run('touch /deep/er/x', { mounts }), /Read-only file system/)
  assert.match(run("grep ' /deep ' /proc/self/mountinfo", { mounts }), /nosuid,nodev,noexec.*size=1024k,mode=700/)
  assert.equal(run('cat /etc/hosts', { isRootReadOnly: true }), '127.0.0.1 localhost')
  assert.match(run('touch /x /etc/hosts', { isRootReadOnly: true }), /\/x: Read-only.*\n.*hosts: Read-only/)
})

test('buildSpec() names the host and the domain, and sets sysctls of its own namespaces', () => {
  const script = 'hostname; cat /proc/sys/kernel/domainname /proc/sys/net/ipv4/ping_group_range /proc/sys/kernel/shmmni'
  const output = run(script, { hostname: 'h', domainname: 'd.example', sysctls: { 'kernel.shmmni': '77' } })
  assert.deepEqual(output.split(/\s+/), ['h', 'd.example', '0', '2147483647', '77'])
})

test('buildSpec() makes devices and lets only those be opened', async () => {
  const devices = await readDevices([
    { PathOnHost: '/dev/null', PathInContainer: '/dev/mine', CgroupPermissions: 'rw' },
  ])
  assert.equal(run('echo > /dev/mine && cat /dev/mine && stat -c %t:%T /dev/mine', { devices }), '1:3')
})

test('buildSpec() gives a privileged container everything the engine has', async () => {
  const privileged = { isPrivileged: true, maskedPaths: [], readonlyPaths: [], devices: await readHostDevices() }
  const bounding = facts.boundingCapabilities.reduce(
    (mask, name) => mask | (1n << BigInt(facts.capabilities.indexOf(name))),
    0n,
  )
  const output = run(
    "grep -E '^(CapEff|Seccomp:)' /proc/self/status; mount -t tmpfs x /tmp && echo mounted",
    privileged,
  )
  assert.deepEqual(output.split('\n'), [
    `CapEff:\t${bounding.toString(16).padStart(16, '0')}`,
    'Seccomp:\t0',
    'mounted',
  ])
})

test('buildSpec() limits resources and files, and raises nothing else', () => {
  const output = run(
    'ulimit -n; ulimit -Hn; ulimit -f; cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null',
    {
      ulimits: [
        { name: 'nofile', soft: 100, hard: 200 },
        { name: 'fsize', soft: -1, hard: -1 },
      ],
      resources: { pids: { limit: 10 } },
    },
  )
  assert.deepEqual(output.split('\n'), ['100', '200', 'unlimited', '10'])
})

test('buildSpec() puts a tiny init before the command', { skip: facts.initPath === undefined }, () => {
  const { initPath } = facts
  assert.match(run('cat /proc/1/cmdline', { ...(initPath && { initPath }) }), /^\/sbin\/docker-init/)
})
