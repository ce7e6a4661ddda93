import { atLeast, defineCommand } from '../../command.ts'
import { complete } from '../../completion/complete.ts'

/** What the completion scripts ask; flags are the business of the command line that is completed. */
export const command = defineCommand({
  usage: 'WORD...',
  summary: 'Complete the last word of a command line',
  count: atLeast(0),
  interspersed: false,
  flags: {},
  async run(cli, { args }) {
    const { candidates, files } = await complete(cli, args)
    const lines = candidates.map(({ text, summary }) => `${text}\t${summary.replaceAll(/[\t\n]/g, ' ')}\n`)
    cli.out(`${lines.join('')}${files ? ':files\n' : ''}`)
  },
})
