import { atLeast, defineCommand } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { buildContainerBody } from '../../options/container-body.ts'
import { containerFlags } from '../../options/container-flags.ts'
import { createContainer } from './create-container.ts'
import { checkPullPolicy } from './pull-policy.ts'
import { parseOrHint } from './with-help-hint.ts'

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a new container',
  aliases: ['container create', 'create'],
  count: atLeast(1),
  interspersed: false,
  flags: {
    ...containerFlags,
    pull: string('pull', 'Pull image before creating ("always", "missing", "never") (default "missing")', 'missing'),
    quiet: boolean('q,quiet', 'Suppress the pull output'),
  },
  async run(cli, parsed) {
    const { flags } = parsed
    const body = parseOrHint(cli, () => {
      checkPullPolicy(flags.pull)
      return buildContainerBody(parsed)
    })
    cli.out(`${await createContainer(cli, { ...flags, body })}\n`)
  },
})
