import { formatPlatform } from '@berth/oci'
import { defineCommand, noArguments } from '../../command.ts'
import { currentContext } from '../../context/current-context.ts'
import { describeFailure } from '../../errors.ts'
import { formatTable } from '../../output/table.ts'

export const command = defineCommand({
  usage: '',
  summary: 'List builder instances',
  count: noArguments,
  flags: {},
  async run(cli) {
    const name = currentContext(cli.contextSources)
    const node = await describeNode(cli.engine.system.version())
    const header = ['NAME/NODE', 'DRIVER/ENDPOINT', 'STATUS', 'BUILDKIT', 'PLATFORMS']
    cli.out(
      formatTable(header, [
        [`${name}*`, 'docker', '', '', ''],
        [` \\_ ${name}`, ` \\_ ${name}`, ...node],
      ]),
    )
  },
})

/** An engine builds by itself: it is its own and only builder. */
async function describeNode(asked: Promise<{ Version: string; Os: string; Arch: string }>): Promise<string[]> {
  try {
    const { Version, Os, Arch } = await asked
    return ['running', Version, formatPlatform({ os: Os, architecture: Arch })]
  } catch (error) {
    return [`error: ${describeFailure(error)}`, '', '']
  }
}
