import { atLeast, defineCommand } from '../../command.ts'
import { string } from '../../flags/flag.ts'
import { formatHelp } from '../../output/format-help.ts'
import { inspectAll } from '../../output/inspect.ts'
import { platformQuery } from '../../options/platform.ts'

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Display detailed information on one or more images',
  count: atLeast(1),
  flags: {
    format: string('f,format', formatHelp),
    platform: string('platform', 'Inspect a specific platform of the multi-platform image'),
  },
  async run(cli, { args, flags }) {
    const platform = platformQuery(flags.platform, '')
    await inspectAll(cli, args, {
      format: flags.format,
      fetch: async (name) => ({ type: 'image', text: await cli.engine.images.inspectText(name, platform) }),
    })
  },
})
