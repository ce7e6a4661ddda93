import type { Resources } from '@berth/engine-api'
import { atLeast, defineCommand } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { bytes, hidden, integer, string, swapBytes, value } from '../../flags/flag.ts'
import { parseWeight } from '../../options/devices.ts'
import { parseCpus } from '../../options/limits.ts'
import { parseRestartPolicy } from '../../options/restart-policy.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Update configuration of one or more containers',
  aliases: ['container update', 'update'],
  count: atLeast(1),
  flags: {
    blkioWeight: value(
      'blkio-weight',
      'uint16',
      'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)',
      {
        initial: 0,
        parse: parseWeight,
      },
    ),
    cpuPeriod: integer('cpu-period', 'Limit CPU CFS (Completely Fair Scheduler) period'),
    cpuQuota: integer('cpu-quota', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
    cpuRtPeriod: integer('cpu-rt-period', 'Limit the CPU real-time period in microseconds'),
    cpuRtRuntime: integer('cpu-rt-runtime', 'Limit the CPU real-time runtime in microseconds'),
    cpuShares: integer('c,cpu-shares', 'CPU shares (relative weight)'),
    cpus: value('cpus', 'decimal', 'Number of CPUs', { initial: 0, parse: parseCpus }),
    cpusetCpus: string('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)'),
    cpusetMems: string('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)'),
    kernelMemory: hidden(bytes('kernel-memory', 'Kernel memory limit (deprecated)')),
    memory: bytes('m,memory', 'Memory limit'),
    memoryReservation: bytes('memory-reservation', 'Memory soft limit'),
    memorySwap: swapBytes('memory-swap', 'Swap limit equal to memory plus swap: -1 to enable unlimited swap'),
    pidsLimit: integer('pids-limit', 'Tune container pids limit (set -1 for unlimited)'),
    restart: string('restart', 'Restart policy to apply when a container exits'),
  },
  async run(cli, { args, flags, changed }) {
    const keys = Object.keys(flags) as (keyof typeof flags)[]
    if (!keys.some((key) => changed(key))) throw new Error('you must provide one or more flags when using this command')
    const RestartPolicy = parseRestartPolicy(flags.restart)
    const resources: Partial<Resources> = {
      BlkioWeight: flags.blkioWeight,
      CpuPeriod: flags.cpuPeriod,
      CpuQuota: flags.cpuQuota,
      CpuRealtimePeriod: flags.cpuRtPeriod,
      CpuRealtimeRuntime: flags.cpuRtRuntime,
      CpuShares: flags.cpuShares,
      NanoCpus: flags.cpus,
      CpusetCpus: flags.cpusetCpus,
      CpusetMems: flags.cpusetMems,
      ...(flags.kernelMemory === 0 ? {} : { KernelMemory: flags.kernelMemory }),
      Memory: flags.memory,
      MemoryReservation: flags.memoryReservation,
      MemorySwap: flags.memorySwap,
      PidsLimit: changed('pidsLimit') ? flags.pidsLimit : null,
    }
    const failures: string[] = []
    for (const name of args) {
      try {
        const { Warnings } = await cli.engine.containers.update(name, { ...resources, RestartPolicy })
        cli.out(`${name}\n`)
        for (const warning of Warnings ?? []) cli.out(`${warning}\n`)
      } catch (error) {
        failures.push(describeFailure(error))
      }
    }
    if (failures.length > 0) throw new StatusError(1, failures.join('\n'))
  },
})
