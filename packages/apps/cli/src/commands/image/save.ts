import { atLeast, defineCommand } from '../../command.ts'
import { string } from '../../flags/flag.ts'
import { platformQuery } from '../../options/platform.ts'
import { saveStream } from '../../output/save-stream.ts'

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  aliases: ['image save', 'save'],
  count: atLeast(1),
  flags: {
    output: string('o,output', 'Write to a file, instead of STDOUT'),
    platform: string(
      'platform',
      'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
  },
  async run(cli, { args, flags }) {
    const platform = platformQuery(flags.platform)
    await saveStream(cli, {
      path: flags.output,
      what: 'save image',
      open: () => cli.engine.images.save(args, platform),
    })
  },
})
