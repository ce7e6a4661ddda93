import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMountInfo } from '../mount/mount-info.ts'
import { cgroupsOf } from './detect.ts'

const line = (type: string, target: string, options: string) =>
  `30 23 0:26 / ${target} rw,nosuid shared:9 - ${type} ${type} ${options}\n`
const v1 =
  line('cgroup', '/sys/fs/cgroup/cpu,cpuacct', 'rw,cpu,cpuacct') +
  line('cgroup', '/sys/fs/cgroup/memory', 'rw,memory') +
  line('cgroup', '/sys/fs/cgroup/systemd', 'rw,xattr,release_agent=/x,name=systemd')

test('cgroupsOf() reads v1 trees, joined and named ones too', () => {
  assert.deepEqual(
    cgroupsOf(parseMountInfo(v1), () => []),
    {
      version: 1,
      controllers: new Map([
        ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
        ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
        ['memory', '/sys/fs/cgroup/memory'],
        ['systemd', '/sys/fs/cgroup/systemd'],
      ]),
      mountPoints: ['/sys/fs/cgroup/cpu,cpuacct', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/systemd'],
    },
  )
})

test('cgroupsOf() calls v1 trees beside a v2 tree a hybrid', () => {
  const mounts = parseMountInfo(v1 + line('cgroup2', '/sys/fs/cgroup/unified', 'rw,nsdelegate'))
  const { version, unified, mountPoints } = cgroupsOf(mounts, () => ['hugetlb'])
  assert.deepEqual(
    { version, unified, trees: mountPoints.length },
    { version: 'hybrid', unified: '/sys/fs/cgroup/unified', trees: 4 },
  )
})

test('cgroupsOf() finds the controllers of a v2 tree in the tree', () => {
  const mounts = parseMountInfo(line('cgroup2', '/sys/fs/cgroup', 'rw,nsdelegate'))
  assert.deepEqual(
    cgroupsOf(mounts, () => ['cpu', 'memory']),
    {
      version: 2,
      controllers: new Map([
        ['cpu', '/sys/fs/cgroup'],
        ['memory', '/sys/fs/cgroup'],
      ]),
      unified: '/sys/fs/cgroup',
      mountPoints: ['/sys/fs/cgroup'],
    },
  )
})
