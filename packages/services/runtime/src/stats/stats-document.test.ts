import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statsDocument } from './stats-document.ts'

test("statsDocument() of a container that does not run is Docker's empty document", () => {
  const noCpu = {
    cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  }
  assert.deepEqual(statsDocument({ id: 'f00d', name: '/x' }, undefined, { networks: {} }), {
    name: '/x',
    id: 'f00d',
    read: '0001-01-01T00:00:00Z',
    preread: '0001-01-01T00:00:00Z',
    pids_stats: {},
    blkio_stats: {
      io_service_bytes_recursive: null,
      io_serviced_recursive: null,
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: noCpu,
    precpu_stats: noCpu,
    memory_stats: {},
  })
})
