import { formatPlatform } from '@berth/oci'
import { between, defineCommand } from '../../command.ts'
import { currentContext } from '../../context/current-context.ts'

export const command = defineCommand({
  usage: '[NAME]',
  summary: 'Inspect current builder instance',
  count: between(0, 1),
  flags: {},
  async run(cli, { args }) {
    const name = currentContext(cli.contextSources)
    const [wanted = name] = args
    if (wanted !== name) throw new Error(`no builder ${JSON.stringify(wanted)} found`)
    const { Version, Os, Arch } = await cli.engine.system.version()
    const fields: readonly (readonly [string, string])[] = [
      ['Name', name],
      ['Endpoint', name],
      ['Status', 'running'],
      ['Engine version', Version],
      ['Platforms', formatPlatform({ os: Os, architecture: Arch })],
    ]
    const lines = fields.map(([field, value]) => `${`${field}:`.padEnd(18)}${value}\n`).join('')
    cli.out(`Name:          ${name}\nDriver:        docker\n\nNodes:\n${lines}`)
  },
})
