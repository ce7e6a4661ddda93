import { controlMethods } from '@berth/buildkit-client'
import { withDoor } from '../../buildkit/history.ts'
import { clientVersion } from '../../client-version.ts'
import { defineCommand, noArguments } from '../../command.ts'

export const command = defineCommand({
  usage: '',
  summary: 'Show the version of what builds',
  aliases: ['buildx version', 'builder version'],
  count: noArguments,
  flags: {},
  async run(cli) {
    const { buildkitVersion } = await withDoor(cli, ({ client }) => client.call(controlMethods.info, {}))
    cli.out(`berth ${clientVersion}\n${buildkitVersion?.package ?? 'buildkit'} ${buildkitVersion?.version ?? ''}\n`)
  },
})
