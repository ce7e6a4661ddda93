import { defineCommand, exactly } from '../../command.ts'
import { string } from '../../flags/flag.ts'
import { saveStream } from '../../output/save-stream.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER',
  summary: "Export a container's filesystem as a tar archive",
  aliases: ['container export', 'export'],
  count: exactly(1),
  flags: { output: string('o,output', 'Write to a file, instead of STDOUT') },
  run: (cli, { args, flags }) =>
    saveStream(cli, {
      path: flags.output,
      what: 'export container',
      open: () => cli.engine.containers.export(args[0] ?? ''),
    }),
})
