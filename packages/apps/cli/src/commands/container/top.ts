import { atLeast, defineCommand } from '../../command.ts'
import { alignTabs } from '../../output/table.ts'

const columnWidth = 20

export const command = defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  summary: 'Display the running processes of a container',
  aliases: ['container top', 'top'],
  count: atLeast(1),
  interspersed: false,
  flags: {},
  async run(cli, { args }) {
    const [container = '', ...options] = args
    const { Titles, Processes } = await cli.engine.containers.top(container, options.join(' '))
    cli.out(alignTabs([Titles, ...Processes].map((cells) => `${cells.join('\t')}\n`).join(''), columnWidth))
  },
})
