import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter } from '../../flags/flag.ts'
import { pruneFilters } from '../../options/prune-filters.ts'
import { confirm } from '../../terminal/confirm.ts'

const warning =
  'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Remove all unused networks',
  count: noArguments,
  flags: {
    filter: filter('filter', 'Provide filter values (e.g. "until=<timestamp>")'),
    force: boolean('f,force', 'Do not prompt for confirmation'),
  },
  async run(cli, { flags }) {
    if (!flags.force && !(await confirm(cli, warning))) return
    const deleted = await cli.engine.networks.prune(pruneFilters(cli.config, flags.filter))
    if (deleted.length > 0) cli.out(`Deleted Networks:\n${deleted.join('\n')}\n\n`)
  },
})
