import { defineCommand, noArguments } from '../../command.ts'
import { boolean, bytes, filter } from '../../flags/flag.ts'
import { humanSize } from '../../output/units.ts'
import { confirm } from '../../terminal/confirm.ts'

export const command = defineCommand({
  usage: '',
  summary: 'Remove build cache',
  count: noArguments,
  flags: {
    all: boolean('a,all', 'Remove all unused build cache, not just dangling ones'),
    filter: filter('filter', 'Provide filter values (e.g. "until=24h")'),
    force: boolean('f,force', 'Do not prompt for confirmation'),
    keepStorage: bytes('keep-storage', 'Amount of disk space to keep for cache'),
    maxUsedSpace: bytes('max-used-space', 'Maximum amount of disk space allowed to keep for cache'),
    minFreeSpace: bytes('min-free-space', 'Target amount of free disk space after pruning'),
    reservedSpace: bytes('reserved-space', 'Amount of disk space always allowed to keep for cache'),
  },
  async run(cli, { flags }) {
    const what = flags.all ? 'all build cache' : 'all dangling build cache'
    if (!flags.force && !(await confirm(cli, `WARNING! This will remove ${what}. Are you sure you want to continue?`)))
      return
    const { CachesDeleted, SpaceReclaimed } = await cli.engine.system.pruneBuildCache({
      all: flags.all || undefined,
      filters: flags.filter,
      ...given('keepStorageBytes', flags.keepStorage),
      ...given('maxUsedBytes', flags.maxUsedSpace),
      ...given('minFreeBytes', flags.minFreeSpace),
      ...given('reservedBytes', flags.reservedSpace),
    })
    const deleted = CachesDeleted ?? []
    if (deleted.length > 0) cli.out(`Deleted build cache objects:\n${deleted.join('\n')}\n\n`)
    cli.out(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`)
  },
})

const given = (name: string, sizeBytes: number): Record<string, number> =>
  sizeBytes === 0 ? {} : { [name]: sizeBytes }
