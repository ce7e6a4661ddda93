import { isStatus } from '@berth/engine-client'
import { atLeast, defineCommand } from '../../command.ts'
import { describeFailure } from '../../errors.ts'
import { boolean } from '../../flags/flag.ts'
import { forEachName } from './for-each.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  aliases: ['container rm', 'container remove', 'rm'],
  count: atLeast(1),
  flags: {
    force: boolean('f,force', 'Force the removal of a running container (uses SIGKILL)'),
    link: boolean('l,link', 'Remove the specified link'),
    volumes: boolean('v,volumes', 'Remove anonymous volumes associated with the container'),
  },
  async run(cli, { args, flags }) {
    const query = { force: flags.force || undefined, link: flags.link || undefined, v: flags.volumes || undefined }
    await forEachName(cli, args, async (given) => {
      const name = given.replace(/^\/+|\/+$/g, '')
      if (name === '') throw new Error('container name cannot be empty')
      try {
        await cli.engine.containers.remove(name, query)
        return given
      } catch (error) {
        if (!flags.force || !isStatus(error, 404)) throw error
        cli.err(`${describeFailure(error)}\n`)
        return null
      }
    })
  },
})
