import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RuntimeSpec } from '@berth/oci'
import { CompiledFilters } from './compiled-filters.ts'

const crun = { path: '/usr/bin/crun', args: [] }
const annotation = 'run.oci.seccomp_bpf_data'

const specWith = (defaultAction: string, annotations?: Record<string, string>): RuntimeSpec =>
  ({
    linux: { namespaces: [], seccomp: { defaultAction } },
    ...(annotations && { annotations }),
  }) as unknown as RuntimeSpec

function withState(content: Buffer | undefined, work: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'berth-filters-'))
  if (content) writeFileSync(join(directory, 'seccomp.bpf'), content)
  try {
    work(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('CompiledFilters gives the filter to the next container of the same profile and runtime, and to no other', () => {
  const filters = new CompiledFilters()
  const spec = specWith('SCMP_ACT_ERRNO', { own: 'kept' })
  withState(Buffer.alloc(16, 7), (directory) => filters.learn(crun, spec, directory))
  const filter = Buffer.alloc(16, 7).toString('base64')
  assert.deepEqual(filters.apply(crun, spec).annotations, { own: 'kept', [annotation]: filter })
  assert.deepEqual(filters.apply(crun, spec).linux, spec.linux)
  for (const [command, other] of [
    [{ path: '/opt/crun', args: [] }, spec],
    [crun, specWith('SCMP_ACT_KILL')],
    [crun, specWith('SCMP_ACT_ERRNO', { 'run.oci.seccomp.receiver': '/s' })],
  ] as const) {
    assert.equal(filters.apply(command, other), other)
  }
})

test('CompiledFilters learns nothing of a runtime that left no filter, an empty or a cut one', () => {
  const filters = new CompiledFilters()
  const spec = specWith('SCMP_ACT_ERRNO')
  for (const content of [undefined, Buffer.alloc(0), Buffer.alloc(12)]) {
    withState(content, (directory) => filters.learn(crun, spec, directory))
  }
  assert.equal(filters.apply(crun, spec), spec)
})
