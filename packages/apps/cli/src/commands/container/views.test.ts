import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPorts } from './container-view.ts'
import { measure } from './stats-view.ts'

test('formatPorts() joins consecutive ports and lists mapped ones last', () => {
  const ports = [
    { PrivatePort: 7072, Type: 'tcp' },
    { PrivatePort: 7070, Type: 'tcp' },
    { PrivatePort: 7071, Type: 'tcp' },
    { PrivatePort: 53, PublicPort: 53, IP: '::', Type: 'udp' },
    { PrivatePort: 80, PublicPort: 8080, IP: '0.0.0.0', Type: 'tcp' },
    { PrivatePort: 80, PublicPort: 8080, IP: '::', Type: 'tcp' },
  ]
  assert.equal(formatPorts(ports), '[::]:53->53/udp, 7070-7072/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp')
})

test('measure() leaves idle file pages out of the memory and adds up the rest', () => {
  const cpu = (total: number, system: number) => ({
    cpu_usage: { total_usage: total, usage_in_kernelmode: 0, usage_in_usermode: 0 },
    system_cpu_usage: system,
    online_cpus: 2,
    throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
  })
  const network = {
    rx_bytes: 5,
    rx_packets: 0,
    rx_errors: 0,
    rx_dropped: 0,
    tx_bytes: 7,
    tx_packets: 0,
    tx_errors: 0,
    tx_dropped: 0,
  }
  const sample = measure({
    name: '/x',
    id: 'id',
    read: '',
    preread: '',
    pids_stats: { current: 3 },
    blkio_stats: {
      io_service_bytes_recursive: [
        { major: 8, minor: 0, op: 'Read', value: 10 },
        { major: 8, minor: 0, op: 'write', value: 20 },
      ],
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu(300, 2000),
    precpu_stats: cpu(100, 1000),
    memory_stats: { usage: 100, limit: 1000, stats: { inactive_file: 40 } },
    networks: { eth0: network, eth1: network },
  })
  assert.deepEqual(sample, {
    cpuPercent: 40,
    memoryBytes: 60,
    limitBytes: 1000,
    receivedBytes: 10,
    sentBytes: 14,
    readBytes: 10,
    writtenBytes: 20,
    processes: 3,
  })
})
