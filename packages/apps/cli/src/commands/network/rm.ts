import { isStatus } from '@berth/engine-client'
import { atLeast, defineCommand } from '../../command.ts'
import { describeFailure } from '../../errors.ts'
import { boolean } from '../../flags/flag.ts'

export const command = defineCommand({
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  aliases: ['network rm', 'network remove'],
  count: atLeast(1),
  flags: { force: boolean('f,force', 'Do not error if the network does not exist') },
  async run(cli, { args, flags }) {
    let exitCode = 0
    // One after the other: the names may say the same network twice.
    for (const name of args) {
      try {
        await cli.engine.networks.remove(name)
        cli.out(`${name}\n`)
      } catch (error) {
        if (flags.force && isStatus(error, 404)) continue
        cli.err(`${describeFailure(error)}\n`)
        exitCode = 1
      }
    }
    return exitCode
  },
})
