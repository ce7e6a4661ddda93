import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemCallNumber } from './system-calls.ts'

test('systemCallNumber() knows the machines that are supported, and takes no other for one of them', () => {
  const machines = ['x64', 'arm64', 'riscv64', 'constructor'] as NodeJS.Architecture[]
  assert.deepEqual(
    machines.map((machine) => [systemCallNumber('pivot_root', machine), systemCallNumber('sched_setattr', machine)]),
    [
      [155, 314],
      [41, 274],
      [undefined, undefined],
      [undefined, undefined],
    ],
  )
})
