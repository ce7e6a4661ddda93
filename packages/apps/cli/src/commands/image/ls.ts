import { between, defineCommand } from '../../command.ts'
import { boolean, filter, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { render } from '../../output/view.ts'
import { imageRows, imageView } from './image-view.ts'

export const command = defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  aliases: ['image ls', 'image list', 'images'],
  count: between(0, 1),
  flags: {
    all: boolean('a,all', 'Show all images (default hides intermediate images)'),
    digests: boolean('digests', 'Show digests'),
    filter: filter('f,filter', 'Filter output based on conditions provided'),
    format: string('format', tableFormatHelp),
    noTrunc: boolean('no-trunc', "Don't truncate output"),
    quiet: boolean('q,quiet', 'Only show image IDs'),
    tree: boolean('tree', 'List multi-platform images as a tree (EXPERIMENTAL)'),
  },
  async run(cli, { args, flags }) {
    if (flags.tree) throw new Error('--tree is not supported yet')
    const format = flags.format === '' && !flags.quiet ? (cli.config.imagesFormat ?? '') : flags.format
    const filters =
      args[0] === undefined
        ? flags.filter
        : { ...flags.filter, reference: [...(flags.filter['reference'] ?? []), args[0]] }
    const images = await cli.engine.images.list({ all: flags.all || undefined, filters })
    const rows = imageRows(images, flags.digests || format.includes('.Digest'))
    const view = imageView(!flags.noTrunc)
    const digest = flags.digests ? ['Digest'] : []
    const defaults = ['Repository', 'Tag', ...digest, 'ID', 'CreatedSince', 'Size']
    await render(cli, rows, view, { format, defaults, quiet: flags.quiet, fit: flags.noTrunc ? undefined : fit })
  },
})

/** Names and ids are never cut: they are what the next command needs. */
const fit = { shrink: { DIGEST: 20 }, drop: ['CREATED'] }
