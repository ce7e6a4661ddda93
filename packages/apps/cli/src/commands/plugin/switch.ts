import { atLeast, defineCommand, exactly } from '../../command.ts'
import { boolean, integer } from '../../flags/flag.ts'
import { forEachName } from '../container/for-each.ts'

const defaultTimeoutS = 30

export const enable = defineCommand({
  usage: '[OPTIONS] PLUGIN',
  summary: 'Enable a plugin',
  count: exactly(1),
  flags: { timeout: integer('timeout', 'HTTP client timeout (in seconds) (default 30)', defaultTimeoutS) },
  async run(cli, { args, flags }) {
    if (flags.timeout < 0) throw new Error(`negative timeout ${flags.timeout} is invalid`)
    await cli.engine.plugins.enable(args[0] ?? '', flags.timeout)
    cli.out(`${args[0]}\n`)
  },
})

export const disable = defineCommand({
  usage: '[OPTIONS] PLUGIN',
  summary: 'Disable a plugin',
  count: exactly(1),
  flags: { force: boolean('f,force', 'Force the disable of an active plugin') },
  async run(cli, { args, flags }) {
    await cli.engine.plugins.disable(args[0] ?? '', flags.force)
    cli.out(`${args[0]}\n`)
  },
})

export const remove = defineCommand({
  usage: '[OPTIONS] PLUGIN [PLUGIN...]',
  summary: 'Remove one or more plugins',
  aliases: ['plugin rm', 'plugin remove'],
  count: atLeast(1),
  flags: { force: boolean('f,force', 'Force the removal of an active plugin') },
  run: (cli, { args, flags }) => forEachName(cli, args, (name) => cli.engine.plugins.remove(name, flags.force)),
})

export const set = defineCommand({
  usage: 'PLUGIN KEY=VALUE [KEY=VALUE...]',
  summary: 'Change settings for a plugin',
  count: atLeast(2),
  flags: {},
  run: (cli, { args: [name = '', ...settings] }) => cli.engine.plugins.set(name, settings),
})
