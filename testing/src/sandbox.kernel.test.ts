import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, rmdirSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { command } from './command.ts'
import { leaksSince, processesOf, readHostState } from './host-state.ts'
import { createSandbox } from './sandbox.ts'

test('createSandbox() hides mounts from the host, has lo up, and leaves nothing', async () => {
  const sandbox = await createSandbox()
  const before = readHostState()
  const inside = sandbox.enter([
    'sh',
    '-c',
    'mount -t tmpfs tmpfs /mnt && grep -c " /mnt tmpfs" /proc/mounts && cat /sys/class/net/lo/flags',
  ])
  const { code, stdout } = await command(inside.file, inside.args)
  assert.deepEqual({ code, mounts: stdout.split('\n')[0] }, { code: 0, mounts: '1' })
  assert.deepEqual([...readHostState()], [...before])
  assert.deepEqual(await sandbox.close(), [])
})

test('leaksSince() names a process and a cgroup that stay', async () => {
  const sandbox = await createSandbox()
  const before = readHostState()
  const cgroup = '/sys/fs/cgroup/pids/berth-leak-test'
  mkdirSync(cgroup)
  const { file, args, env } = sandbox.enter(['sleep', '1000'])
  const sleeper = spawn(file, args, { env, stdio: 'ignore' })
  const left = await leaksSince(before, sandbox.name, 300)
  assert.ok(processesOf(sandbox.name).length >= 1)
  assert.ok(left.includes(`cgroup ${cgroup}`), left.join('\n'))
  assert.ok(
    left.some((line) => line.startsWith('process') && line.includes('sleep 1000')),
    left.join('\n'),
  )
  sleeper.kill('SIGKILL')
  rmdirSync(cgroup)
  assert.deepEqual(await sandbox.close(), [])
})

test('leaksSince() names a namespace that was named inside', async () => {
  const sandbox = await createSandbox()
  const before = readHostState()
  const name = `berth-leak-test-${process.pid}`
  const { file, args } = sandbox.enter(['ip', 'netns', 'add', name])
  const { code } = await command(file, args)
  const left = await leaksSince(before, sandbox.name, 300)
  rmSync(`/run/netns/${name}`, { force: true })
  assert.deepEqual(await sandbox.close(), [])
  assert.equal(code, 0)
  assert.ok(left.includes(`netns /run/netns/${name}`), left.join('\n'))
})
