import { defineCommand, noArguments } from '../../command.ts'
import { currentContext } from '../../context/current-context.ts'

export const command = defineCommand({
  usage: '',
  summary: 'Print the name of the current context',
  count: noArguments,
  flags: {},
  async run(cli) {
    cli.out(`${currentContext(cli.contextSources)}\n`)
  },
})
