import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter } from '../../flags/flag.ts'
import { humanSize } from '../../output/units.ts'
import { pruneFilters } from '../../options/prune-filters.ts'
import { confirm } from '../../terminal/confirm.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Remove all stopped containers',
  count: noArguments,
  flags: {
    filter: filter('filter', 'Provide filter values (e.g. "until=<timestamp>")'),
    force: boolean('f,force', 'Do not prompt for confirmation'),
  },
  async run(cli, { flags }) {
    const warning = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?'
    if (!flags.force && !(await confirm(cli, warning))) return
    const { ContainersDeleted, SpaceReclaimed } = await cli.engine.containers.prune(
      pruneFilters(cli.config, flags.filter),
    )
    const deleted = ContainersDeleted ?? []
    if (deleted.length > 0) cli.out(`Deleted Containers:\n${deleted.join('\n')}\n\n`)
    cli.out(`Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`)
  },
})
