import type { ImageDeleteResponseItem } from '@berth/engine-api'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, filter } from '../../flags/flag.ts'
import { humanSize } from '../../output/units.ts'
import { pruneFilters } from '../../options/prune-filters.ts'
import { confirm } from '../../terminal/confirm.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Remove unused images',
  count: noArguments,
  flags: {
    all: boolean('a,all', 'Remove all unused images, not just dangling ones'),
    filter: filter('filter', 'Provide filter values (e.g. "until=<timestamp>")'),
    force: boolean('f,force', 'Do not prompt for confirmation'),
  },
  async run(cli, { flags }) {
    const what = flags.all ? 'images without at least one container associated to them' : 'dangling images'
    const warning = `WARNING! This will remove all ${what}.\nAre you sure you want to continue?`
    if (!flags.force && !(await confirm(cli, warning))) return
    const filters = { ...pruneFilters(cli.config, flags.filter), dangling: [String(!flags.all)] }
    const { ImagesDeleted, SpaceReclaimed } = await cli.engine.images.prune(filters)
    cli.out(`${deletedImages(ImagesDeleted ?? [])}Total reclaimed space: ${humanSize(SpaceReclaimed)}\n`)
  },
})

/** The block that names what was deleted; empty if nothing was. */
export function deletedImages(items: readonly ImageDeleteResponseItem[]): string {
  if (items.length === 0) return ''
  const lines = items.map(({ Untagged, Deleted }) =>
    Untagged === undefined ? `deleted: ${Deleted}\n` : `untagged: ${Untagged}\n`,
  )
  return `Deleted Images:\n${lines.join('')}\n`
}
