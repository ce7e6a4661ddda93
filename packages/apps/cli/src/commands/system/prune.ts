import type { Cli } from '../../cli.ts'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter } from '../../flags/flag.ts'
import { humanSize } from '../../output/units.ts'
import { pruneFilters } from '../../options/prune-filters.ts'
import { confirm } from '../../terminal/confirm.ts'
import { deletedImages } from '../image/prune.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Remove unused data',
  count: noArguments,
  flags: {
    all: boolean('a,all', 'Remove all unused images not just dangling ones'),
    filter: filter('filter', 'Provide filter values (e.g. "label=<key>=<value>")'),
    force: boolean('f,force', 'Do not prompt for confirmation'),
    volumes: boolean('volumes', 'Prune anonymous volumes'),
  },
  async run(cli, { flags }) {
    if (flags.volumes && flags.filter['until'] !== undefined) {
      throw new Error('ERROR: The "until" filter is not supported with "--volumes"')
    }
    if (!flags.force && !(await confirm(cli, warning(flags)))) return
    await pruneAll(cli, flags)
  },
})

interface PruneFlags {
  readonly all: boolean
  readonly volumes: boolean
  readonly filter: Readonly<Record<string, readonly string[]>>
}

function warning({ all, volumes, filter: filters }: PruneFlags): string {
  const items = ['all stopped containers', 'all networks not used by at least one container']
  if (volumes) items.push('all anonymous volumes not used by at least one container')
  items.push(all ? 'all images without at least one container associated to them' : 'all dangling images')
  items.push(all ? 'all build cache' : 'unused build cache')
  const list = items.map((item) => `  - ${item}\n`).join('')
  const named = Object.entries(filters).flatMap(([name, values]) => values.map((value) => `  - ${name}=${value}\n`))
  const narrowed = named.length > 0 ? `\n  Items to be pruned will be filtered with:\n${named.join('')}` : ''
  return `WARNING! This will remove:\n${list}${narrowed}\nAre you sure you want to continue?`
}

async function pruneAll(cli: Cli, flags: PruneFlags): Promise<void> {
  const filters = pruneFilters(cli.config, flags.filter)
  const { containers, images, networks, volumes } = cli.engine
  const pruned = await containers.prune(filters)
  let reclaimedBytes = pruned.SpaceReclaimed
  cli.out(block('Deleted Containers', pruned.ContainersDeleted))
  cli.out(block('Deleted Networks', await networks.prune(filters)))
  if (flags.volumes) {
    const { VolumesDeleted, SpaceReclaimed } = await volumes.prune(filters)
    reclaimedBytes += SpaceReclaimed
    cli.out(block('Deleted Volumes', VolumesDeleted))
  }
  const deleted = await images.prune({ ...filters, dangling: [String(!flags.all)] })
  reclaimedBytes += deleted.SpaceReclaimed
  cli.out(deletedImages(deleted.ImagesDeleted ?? []))
  reclaimedBytes += await pruneCache(cli, flags.all)
  cli.out(`Total reclaimed space: ${humanSize(reclaimedBytes)}\n`)
}

/** An engine that cannot build yet has no cache to prune. */
async function pruneCache(cli: Cli, all: boolean): Promise<number> {
  const { isStatus } = await import('@berth/engine-client')
  try {
    const { CachesDeleted, SpaceReclaimed } = await cli.engine.system.pruneBuildCache({ all: all || undefined })
    cli.out(block('Deleted build cache objects', CachesDeleted))
    return SpaceReclaimed
  } catch (error) {
    if (isStatus(error, 404) || isStatus(error, 501)) return 0
    throw error
  }
}

function block(title: string, names: readonly string[] | null): string {
  return names === null || names.length === 0 ? '' : `${title}:\n${names.join('\n')}\n\n`
}
