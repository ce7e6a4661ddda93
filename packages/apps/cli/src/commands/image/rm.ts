import { isStatus } from '@berth/engine-client'
import { atLeast, defineCommand } from '../../command.ts'
import { describeFailure, StatusError } from '../../errors.ts'
import { boolean, commaList } from '../../flags/flag.ts'
import { platformQuery } from '../../options/platform.ts'

export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove one or more images',
  aliases: ['image rm', 'image remove', 'rmi'],
  count: atLeast(1),
  flags: {
    force: boolean('f,force', 'Force removal of the image'),
    noPrune: boolean('no-prune', 'Do not delete untagged parents'),
    platform: commaList(
      'platform',
      'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
  },
  async run(cli, { args, flags }) {
    const platforms = flags.platform.map((text) => platformQuery(text, '') ?? '')
    const query = { force: flags.force || undefined, noprune: flags.noPrune || undefined, platforms }
    const failures: string[] = []
    let fatal = false
    for (const name of args) {
      try {
        const items = await cli.engine.images.remove(name, query)
        cli.out(
          items
            .map((item) => (item.Deleted === undefined ? `Untagged: ${item.Untagged}\n` : `Deleted: ${item.Deleted}\n`))
            .join(''),
        )
      } catch (error) {
        fatal ||= !isStatus(error, 404)
        failures.push(describeFailure(error))
      }
    }
    if (failures.length === 0) return
    if (!flags.force || fatal) throw new StatusError(1, failures.join('\n'))
    cli.err(`${failures.join('\n')}\n`)
  },
})
