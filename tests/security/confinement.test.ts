// What a container may ask of the kernel: Docker's defaults, in run and exec, for root and for others.
import { Cli, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'

const engine = useEngine()
const cli = new Cli('docker', engine)

let started: Promise<string> | undefined
/** The id of a container that runs until the end, as root with the host's programs to read. */
const resident = (): Promise<string> =>
  (started ??= cli.ok('run', '-d', '-i', ...hostPrograms, 'busybox', 'sleep', '1000'))
const hostPrograms = ['/usr', '/lib', '/lib64']
  .filter((path) => existsSync(path))
  .flatMap((path) => ['-v', `${path}:${path}:ro`])

const dockers = '00000000a80425fb'
const none = '0000000000000000'
const all = /^0000(01|00)[0-9a-f]{10}$/

interface Rights {
  readonly CapInh: string
  readonly CapPrm: string
  readonly CapEff: string
  readonly CapBnd: string
  readonly CapAmb: string
  readonly Groups: string
  readonly NoNewPrivs: string
  readonly Seccomp: string
}

/** /proc/self/status of a process in a new container, or of one executed in the resident. */
async function rights(...args: string[]): Promise<Rights> {
  const status = await cli.ok(...args, 'cat', '/proc/self/status')
  const fields = status.split('\n').map((line) => line.split(':', 2).map((part) => part.trim()) as [string, string])
  const { CapInh, CapPrm, CapEff, CapBnd, CapAmb, Groups, NoNewPrivs, Seccomp } = Object.fromEntries(
    fields,
  ) as unknown as Rights
  return { CapInh, CapPrm, CapEff, CapBnd, CapAmb, Groups, NoNewPrivs, Seccomp }
}

const plain = {
  CapInh: none,
  CapPrm: dockers,
  CapEff: dockers,
  CapBnd: dockers,
  CapAmb: none,
  Groups: '0',
  NoNewPrivs: '0',
  Seccomp: '2',
}

test('a process has Docker’s fourteen capabilities, none to inherit, its groups only, and a filter: in run and in exec', async () => {
  assert.deepEqual(await rights('run', '--rm', 'busybox'), plain)
  assert.deepEqual(await rights('exec', await resident()), plain)
})

test('another user has no capability, and the groups of the image: in run and in exec', async () => {
  const other = { ...plain, CapPrm: none, CapEff: none, Groups: '33 50' }
  assert.deepEqual(await rights('run', '--rm', '-u', 'www-data', 'busybox'), other)
  assert.deepEqual(await rights('exec', '-u', 'www-data', await resident()), other)
  const added = await rights('run', '--rm', '-u', '1234', '--cap-add', 'NET_ADMIN', 'busybox')
  assert.deepEqual(added, { ...plain, CapPrm: none, CapEff: none, CapBnd: '00000000a80435fb' })
})

test('a privileged process has every capability and still none to inherit', async () => {
  const run = await rights('run', '--rm', '--privileged', 'busybox')
  assert.deepEqual([run.CapInh, run.CapAmb, run.Seccomp], [none, none, '0'])
  assert.match(run.CapEff, all)
  const exec = await rights('exec', '--privileged', await resident())
  assert.deepEqual([exec.CapInh, exec.CapAmb, exec.Seccomp], [none, none, '2'])
  assert.match(exec.CapEff, all)
})

test('what was set for the container holds for what is executed in it', async () => {
  const options = ['--security-opt', 'no-new-privileges', '--cap-drop', 'ALL', '-u', 'www-data']
  const id = await cli.ok('run', '-d', ...options, 'busybox', 'sleep', '1000')
  const bare = { ...plain, CapPrm: none, CapEff: none, CapBnd: none, Groups: '33 50', NoNewPrivs: '1' }
  assert.deepEqual(await rights('exec', id), bare)
  assert.deepEqual(await rights('exec', '-u', '0', id), { ...bare, Groups: '0' })
  await cli.ok('rm', '-f', id)
})

/** name, number on x86-64 and arguments; answered with EPERM, or with ENOSYS where libc then tries what is older. */
const refused: readonly (readonly [string, ...number[]])[] = [
  ['mount', 165], ['umount2', 166], ['pivot_root', 155], ['swapon', 167], ['reboot', 169], ['sethostname', 170, 0, -1],
  ['iopl', 172, 3], ['init_module', 175], ['finit_module', 313, -1], ['delete_module', 176], ['quotactl', 179],
  ['settimeofday', 164], ['clock_settime', 227], ['acct', 163], ['kexec_load', 246], ['kexec_file_load', 320, -1, -1],
  ['add_key', 248], ['request_key', 249], ['keyctl', 250], ['setns', 308, -1], ['unshare(CLONE_NEWUSER)', 272, 0x10000000],
  ['unshare(CLONE_NEWNET)', 272, 0x40000000], ['unshare(CLONE_NEWNS)', 272, 0x20000], ['clone(CLONE_NEWUSER)', 56, 0x10000011],
  ['clone3', 435], ['perf_event_open', 298, 0, 0, -1, -1], ['fanotify_init', 300], ['open_by_handle_at', 304, -1],
  ['kcmp', 312], ['bpf', 321], ['userfaultfd', 323], ['io_uring_setup', 425, 1], ['io_uring_enter', 426, -1],
  ['io_uring_register', 427, -1], ['open_tree', 428, -1], ['move_mount', 429, -1, 0, -1], ['fsopen', 430], ['fsconfig', 431, -1],
  ['fsmount', 432, -1], ['fspick', 433, -1], ['pidfd_getfd', 438, -1], ['mount_setattr', 442, -1], ['lookup_dcookie', 212],
  ['syslog', 103, 3], ['personality(ADDR_NO_RANDOMIZE)', 135, 0x40000], ['mbind', 237], ['set_mempolicy', 238],
  ['move_pages', 279], ['uselib', 134], ['ustat', 136], ['sysfs', 139], ['nfsservctl', 180], ['process_madvise', 440, -1],
  ['socket(AF_ALG)', 41, 38, 5], ['socket(AF_VSOCK)', 41, 40, 1],
  // The kernel reads the lower half only.
  ['socket(2^32 + AF_ALG)', 41, 2 ** 32 + 38, 5], ['socket(2^32 + AF_VSOCK)', 41, 2 ** 32 + 40, 1],
] // prettier-ignore

const perl = (): string => {
  const calls = refused.map(
    ([name, ...numbers]) => `['${name}',${numbers.join(',')}${',0'.repeat(7 - numbers.length)}]`,
  )
  return `for (${calls.join(',')}) { my ($name, @args) = @$_; $! = 0; my $got = syscall(shift @args, @args);
    exit if $name =~ /^clone/ && $got == 0; printf "%s %s\\n", $name, $got == -1 ? $!+0 : 'done' }`
}

test('system calls that Docker’s profile refuses are refused: in run and in exec, and under other ABIs', async (t) => {
  if (process.arch !== 'x64' || !existsSync('/usr/bin/perl')) return t.skip('the numbers are x86-64’s, the caller perl')
  const expected = refused.map(([name]) => `${name} ${name === 'clone3' ? 38 : 1}`)
  const run = await cli.ok('run', '--rm', ...hostPrograms, 'busybox', '/usr/bin/perl', '-e', perl())
  assert.deepEqual(run.split('\n'), expected)
  const exec = await cli.ok('exec', await resident(), '/usr/bin/perl', '-e', perl())
  assert.deepEqual(exec.split('\n'), expected)
  // mount by the x32 ABI (bit 30)
  const x32 = await cli.ok(
    'run',
    '--rm',
    ...hostPrograms,
    'busybox',
    '/usr/bin/perl',
    '-e',
    'print syscall(0x40000000 + 165, 0, 0, 0, 0, 0)',
  )
  assert.equal(x32, '-1')
})

const sh = (script: string, ...options: string[]): Promise<string> =>
  cli.ok('run', '--rm', ...options, 'busybox', 'sh', '-c', script)

const masked = [
  '/proc/asound', '/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list',
  '/proc/timer_stats', '/proc/sched_debug', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap',
] // prettier-ignore

test('masked paths show nothing and cannot be unmasked', async () => {
  const show = `for p in ${masked.join(' ')} /sys/devices/system/cpu/cpu*/thermal_throttle; do
    [ ! -e $p ] || { [ -d $p ] && ls -A $p || head -c 1 $p; }; umount $p 2>/dev/null && echo unmasked; done; true`
  assert.equal(await sh(show), '')
})

test('read-only paths of the kernel stay read-only', async () => {
  const paths = [
    'sys/kernel/core_pattern',
    'sys/kernel/modprobe',
    'irq/default_smp_affinity',
    'sys/vm/overcommit_memory',
  ]
  const attempts = [...paths.map((path) => `/proc/${path}`), '/sys/kernel/uevent_helper', '/sys/kernel/mm/ksm/run']
  const script = `for p in ${attempts.join(' ')}; do [ ! -e $p ] || (cat $p > /tmp/old; cat /tmp/old > $p) 2>&1; done; true`
  for (const line of (await sh(script)).split('\n')) assert.match(line, /Read-only file system/)
  assert.match(await sh('mount -o remount,rw /proc/sys 2>&1; mount -o remount,rw /sys 2>&1; true'), /denied/)
})

test('cgroups are read-only, but to a privileged container', async () => {
  const write = 'for d in /sys/fs/cgroup/*/; do mkdir $d/x 2>/dev/null && { echo made; rmdir $d/x; }; done; true'
  assert.equal(await sh(write), '')
  assert.match(await sh(write, '--privileged'), /made/)
})

test('devices that were not given can be made, but neither read nor written', async () => {
  const nodes = ['b 254 0', 'b 8 0', 'b 7 0', 'c 1 1', 'c 1 4', 'c 10 229', 'c 10 237', 'c 10 200']
  const attempt = (node: string, index: number) =>
    `mknod /tmp/d${index} ${node} && (exec 3< /tmp/d${index}) 2>&1; (exec 3> /tmp/d${index}) 2>&1`
  const lines = (await sh(`${nodes.map(attempt).join('\n')}; true`)).split('\n')
  assert.equal(lines.length, nodes.length * 2)
  for (const line of lines) assert.match(line, /Operation not permitted/)
})

test('--privileged gives devices, a writable /proc/sys and mounts; nothing less does', async () => {
  const script =
    'test -e /dev/mem -o -e /dev/loop-control -o -e /dev/kmsg && echo devices; mount -t tmpfs x /tmp && echo mounts; test -w /proc/sys/kernel/domainname && echo settings; grep -q "/proc/sys proc ro" /proc/mounts && echo ro; true'
  const run = async (...options: string[]) =>
    (await cli.run(['run', '--rm', ...options, 'busybox', 'sh', '-c', script])).stdout
  assert.equal(await run('--privileged'), 'devices\nmounts\nsettings\n')
  assert.equal(await run(), 'settings\nro\n')
  assert.equal(await run('--cap-add', 'SYS_ADMIN'), 'mounts\nsettings\nro\n')
})
