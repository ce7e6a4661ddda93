import { messageOf } from '@berth/base'
import { between, defineCommand } from '../../command.ts'
import { credentialsOf } from '../../credentials/registry-auth.ts'
import { hubServer } from '../../credentials/server.ts'
import { serverNamed } from './login.ts'

export const command = defineCommand({
  usage: '[SERVER]',
  summary: 'Log out from a registry',
  details: 'If no server is specified, the default is defined by the daemon.',
  count: between(0, 1),
  flags: {},
  async run(cli, { args }) {
    const server = serverNamed(args[0])
    cli.out(`Removing login credentials for ${server}\n`)
    // Earlier clients kept them by other names.
    const names = server === hubServer ? [server] : [server, `http://${server}`, `https://${server}`, args[0] ?? server]
    const failures: string[] = []
    for (const name of new Set(names)) {
      await credentialsOf(cli)
        .erase(name)
        .catch((error: unknown) => failures.push(`${name}: ${messageOf(error)}`))
    }
    if (failures.length === new Set(names).size) {
      cli.err(`WARNING: could not erase credentials:\n${failures.join('\n')}\n`)
    }
  },
})
