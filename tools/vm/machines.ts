import type { CgroupLayout } from '@berth/testing'

/** A machine to boot, and the test files that run in it, as globs below the repository. */
export interface Machine {
  readonly name: string
  readonly cgroups: CgroupLayout
  readonly files: readonly string[]
}

export const machines: readonly Machine[] = [
  {
    name: 'unified',
    cgroups: 'unified',
    files: [
      'packages/system/linux/src/cgroup/*.kernel.test.ts',
      'packages/system/linux/src/mount/*.kernel.test.ts',
      'tests/vm/unified/*.test.ts',
    ],
  },
]
