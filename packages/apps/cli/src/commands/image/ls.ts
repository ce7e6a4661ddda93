import type { Filters } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { between, defineCommand } from '../../command.ts'
import { boolean, filter, string } from '../../flags/flag.ts'
import { tableFormatHelp } from '../../output/format-help.ts'
import { render } from '../../output/view.ts'
import { imageRows, imageView } from './image-view.ts'
import { treeLines } from './tree.ts'

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
    const format = flags.format === '' && !flags.quiet ? (cli.config.imagesFormat ?? '') : flags.format
    const filters =
      args[0] === undefined
        ? flags.filter
        : { ...flags.filter, reference: [...(flags.filter['reference'] ?? []), args[0]] }
    if (flags.tree) return await printTree(cli, flags, filters)
    const images = await cli.engine.images.list({ all: flags.all || undefined, filters })
    const rows = imageRows(images, flags.digests || format.includes('.Digest'))
    const view = imageView(!flags.noTrunc)
    const digest = flags.digests ? ['Digest'] : []
    const defaults = ['Repository', 'Tag', ...digest, 'ID', 'CreatedSince', 'Size']
    const shown = flags.digests ? withDigest(format) : format
    await render(cli, rows, view, { format: shown, defaults, quiet: flags.quiet, fit: flags.noTrunc ? undefined : fit })
  },
})

/** A table of the user's own has the digests' column as its last. */
function withDigest(format: string): string {
  const isOwnTable = format.startsWith('table') && format !== 'table'
  return isOwnTable && !format.includes('{{.Digest}}') ? `${format}\t{{.Digest}}` : format
}

/** Names and ids are never cut: they are what the next command needs. */
const fit = { shrink: { DIGEST: 20 }, drop: ['CREATED'] }

interface TreeFlags {
  readonly all: boolean
  readonly digests: boolean
  readonly format: string
  readonly noTrunc: boolean
  readonly quiet: boolean
}

async function printTree(cli: Cli, flags: TreeFlags, filters: Filters): Promise<void> {
  const [unknown] = [
    ...(flags.quiet ? ['--quiet'] : []),
    ...(flags.noTrunc ? ['--no-trunc'] : []),
    ...(flags.digests ? ['--show-digest'] : []),
    ...(flags.format === '' ? [] : ['--format']),
  ]
  if (unknown !== undefined) throw new Error(`${unknown} is not yet supported with --tree`)
  const images = await cli.engine.images.list({ all: flags.all || undefined, filters, manifests: true })
  const showsUntagged = flags.all || filters['dangling'] !== undefined
  const isColored = cli.isTerminal(1)
  const width = Math.max(20, (isColored && process.stdout.columns) || 80)
  for (const line of treeLines(images, { width, isColored, showsUntagged })) cli.out(`${line}\n`)
}
