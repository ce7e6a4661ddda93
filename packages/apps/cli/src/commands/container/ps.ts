import type { ContainerSummary } from '@berth/engine-api'
import type { Cli } from '../../cli.ts'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter, integer, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { render } from '../../output/view.ts'
import { containerView } from './container-view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'List containers',
  aliases: ['container ls', 'container list', 'container ps', 'ps'],
  count: noArguments,
  flags: {
    all: boolean('a,all', 'Show all containers (default shows just running)'),
    filter: filter('f,filter', 'Filter output based on conditions provided'),
    format: string('format', tableFormatHelp),
    last: integer('n,last', 'Show n last created containers (includes all states) (default -1)', -1),
    latest: boolean('l,latest', 'Show the latest created container (includes all states)'),
    noTrunc: boolean('no-trunc', "Don't truncate output"),
    quiet: boolean('q,quiet', 'Only display container IDs'),
    size: boolean('s,size', 'Display total file sizes'),
    tree: boolean('tree', 'Show containers below their images, with their networks and mounts'),
  },
  async run(cli, { flags }) {
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last
    if (flags.quiet && flags.format !== '') cli.err(ignoredFormat)
    const format = flags.quiet ? '' : flags.format || (cli.config.psFormat ?? '')
    const size = flags.size || /\.Size|json \.\s*}}/.test(format) || undefined
    const containers = await cli.engine.containers.list({
      all: flags.all || undefined,
      limit: limit > 0 ? limit : undefined,
      size,
      filters: flags.filter,
    })
    if (flags.tree) return printTree(cli, containers, flags.format)
    const view = containerView(!flags.noTrunc)
    const defaults = [
      'ID',
      'Image',
      'Command',
      'RunningFor',
      'Status',
      'Ports',
      'Names',
      ...(flags.size ? ['Size'] : []),
    ]
    await render(cli, containers, view, { format, defaults, quiet: flags.quiet, fit: flags.noTrunc ? undefined : fit })
  },
})

const ignoredFormat = 'WARNING: Ignoring custom format, because both --format and --quiet are set.\n'

/** Names and ids are never cut: they are what the next command needs. */
const fit = { shrink: { IMAGE: 12, COMMAND: 8, STATUS: 12, PORTS: 12 }, drop: ['COMMAND', 'CREATED'] }

async function printTree(cli: Cli, containers: readonly ContainerSummary[], format: string): Promise<void> {
  if (format !== '' && format !== 'json') throw new Error("--tree has no templates: only --format 'json'")
  const { containerTreeNodes, planContainerTree } = await import('../../map/container-tree.ts')
  const { drawTree } = await import('../../output/tree.ts')
  const branches = planContainerTree(containers)
  cli.out(format === 'json' ? `${JSON.stringify(branches)}\n` : drawTree(containerTreeNodes(branches)))
}
