import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter } from '../../flags/flag.ts'
import { pruneFilters } from '../../options/prune-filters.ts'
import { humanSize } from '../../output/units.ts'
import { confirm } from '../../terminal/confirm.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Remove unused local volumes',
  count: noArguments,
  flags: {
    all: boolean('a,all', 'Remove all unused volumes, not just anonymous ones'),
    filter: filter('filter', 'Provide filter values (e.g. "label=<label>")'),
    force: boolean('f,force', 'Do not prompt for confirmation'),
  },
  async run(cli, { flags }) {
    const filters = pruneFilters(cli.config, flags.filter)
    if (flags.all && filters['all'] !== undefined) {
      throw new Error('conflicting options: cannot specify both --all and --filter all=1')
    }
    const which = flags.all ? 'all' : 'anonymous'
    const warning = `WARNING! This will remove ${which} local volumes not used by at least one container.\nAre you sure you want to continue?`
    if (!flags.force && !(await confirm(cli, warning))) return
    const { VolumesDeleted, SpaceReclaimed } = await cli.engine.volumes.prune(
      flags.all ? { ...filters, all: ['true'] } : filters,
    )
    const deleted = VolumesDeleted ?? []
    const names = deleted.length > 0 ? `Deleted Volumes:\n${deleted.join('\n')}\n\n` : ''
    cli.out(`${names}Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`)
  },
})
