import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Cli } from '@berth/testing'

/** What a container may not do, and the limits it runs under. */
export function testConfinement(cli: Cli): void {
  const { engine } = cli
  const sh = (script: string, ...options: string[]) => cli.ok('run', '--rm', ...options, 'busybox', 'sh', '-c', script)
  const status = (field: string, ...options: string[]) =>
    sh(`awk '/^${field}:/{print $2}' /proc/self/status`, ...options)

  test('a container has Docker’s fourteen capabilities and none to inherit', async () => {
    assert.equal(await status('CapEff'), '00000000a80425fb')
    assert.equal(await status('CapInh'), '0000000000000000')
    assert.equal(await status('CapEff', '--cap-drop', 'ALL', '--cap-add', 'CHOWN'), '0000000000000001')
    assert.equal(await status('CapEff', '-u', 'www-data'), '0000000000000000')
  })

  test('a container runs under seccomp unless it is unconfined', async () => {
    assert.equal(await status('Seccomp'), '2')
    assert.equal(await status('Seccomp', '--security-opt', 'seccomp=unconfined'), '0')
    assert.match(await sh('unshare -n true 2>&1 || true'), /Operation not permitted/)
  })

  test('a container obeys a seccomp profile of the user', async () => {
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    }
    const file = join(engine.folder, 'seccomp.json')
    writeFileSync(file, JSON.stringify(profile))
    assert.match(await sh('mkdir /x 2>&1 || true', '--security-opt', `seccomp=${file}`), /not permitted/)
  })

  test('no-new-privileges is set where asked for', async () => {
    assert.equal(await status('NoNewPrivs'), '0')
    assert.equal(await status('NoNewPrivs', '--security-opt', 'no-new-privileges'), '1')
  })

  test('masked and read-only paths hide the kernel; --privileged shows it', async () => {
    assert.equal(await sh('cat /proc/keys /proc/timer_list 2>/dev/null | wc -c'), '0')
    assert.match(await sh('(echo 1 > /proc/sys/kernel/domainname) 2>&1 || true'), /Read-only|nonexistent|denied/)
    assert.equal(await sh('grep -c " /proc/sys " /proc/mounts || true', '--privileged'), '0')
  })

  test('a container sees only its own devices, and those it is given', async () => {
    assert.equal(await sh('test -e /dev/loop0 || test -e /dev/vda; echo $?'), '1')
    assert.equal(await sh("ls -l /dev/zilch | awk '{print $5 $6}'", '--device', '/dev/null:/dev/zilch:rw'), '1,3')
    assert.match(await sh('mknod /tmp/d c 1 1 && head -c1 /tmp/d 2>&1 || true'), /Operation not permitted/)
  })

  test('memory, cpu and pids limits reach the cgroup', async () => {
    const name = engine.name()
    const limits = ['-m', '64m', '--cpus', '0.5', '--pids-limit', '50', '--cpu-shares', '512']
    await cli.ok('run', '-d', '--name', name, ...limits, 'busybox', 'sleep', '1000')
    const read = (...files: string[]) => cli.ok('exec', name, 'sh', '-c', `cat ${files.join(' ')} 2>/dev/null || true`)
    const root = '/sys/fs/cgroup'
    assert.match(await read(`${root}/memory/memory.limit_in_bytes`, `${root}/memory.max`), /^67108864$/)
    assert.match(await read(`${root}/cpu/cpu.cfs_quota_us`, `${root}/cpu.max`), /^50000/)
    assert.match(await read(`${root}/pids/pids.max`, `${root}/pids.max`), /^50$/)
    await cli.ok('update', '-m', '96m', '--memory-swap', '96m', '--pids-limit', '60', name)
    assert.match(await read(`${root}/memory/memory.limit_in_bytes`, `${root}/memory.max`), /^100663296$/)
    assert.match(await read(`${root}/pids/pids.max`, `${root}/pids.max`), /^60$/)
    assert.equal(
      await cli.ok('inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}', name),
      '100663296 60',
    )
    await cli.ok('rm', '-f', name)
  })

  test('a container that outgrows its memory is killed, and the engine says so', async () => {
    const name = engine.name()
    const greedy = 'x=a; while true; do x=$x$x; done'
    const { code } = await cli.run([
      'run',
      '--name',
      name,
      '-m',
      '16m',
      '--memory-swap',
      '16m',
      'busybox',
      'sh',
      '-c',
      greedy,
    ])
    assert.equal(code, 137)
    assert.equal(await cli.ok('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', name), 'true 137')
    await cli.ok('rm', name)
  })

  test('ulimits and sysctls are those asked for', async () => {
    assert.equal(await sh('ulimit -n; ulimit -Hn', '--ulimit', 'nofile=100:200'), '100\n200')
    assert.equal(await sh('cat /proc/sys/net/ipv4/ip_forward', '--sysctl', 'net.ipv4.ip_forward=0'), '0')
    assert.equal(await sh('cat /proc/sys/net/ipv4/ip_unprivileged_port_start'), '0')
  })

  test('no descriptor of the engine is open in a container', async () => {
    assert.equal(await sh('ls /proc/self/fd | wc -l'), '4') // 0, 1, 2 and the listing's own
  })

  test('a working directory cannot be a leaked descriptor', async () => {
    for (const fd of [3, 7, 8, 9, 12]) {
      const result = await cli.run(['run', '--rm', '-w', `/proc/self/fd/${fd}`, 'busybox', 'ls', '../../..'])
      assert.doesNotMatch(result.stdout, /^(boot|lib64)$/m, `fd ${fd}`)
    }
  })
}
