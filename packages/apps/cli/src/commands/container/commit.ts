import { between, defineCommand } from '../../command.ts'
import { boolean, list, string } from '../../flags/flag.ts'
import { splitReference } from '../../options/reference.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: "Create a new image from a container's changes",
  aliases: ['container commit', 'commit'],
  count: between(1, 2),
  flags: {
    author: string('a,author', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
    change: list('c,change', 'Apply Dockerfile instruction to the created image'),
    message: string('m,message', 'Commit message'),
    pause: boolean('p,pause', 'Pause container during commit (default true)', true),
  },
  async run(cli, { args, flags }) {
    const [container = '', reference = ''] = args
    const { name, tag } = reference === '' ? { name: '', tag: '' } : splitReference(reference)
    const { Id } = await cli.engine.images.commit({
      container,
      repository: name,
      tag,
      comment: flags.message,
      author: flags.author,
      changes: flags.change,
      pause: flags.pause ? undefined : false,
    })
    cli.out(`${Id}\n`)
  },
})
