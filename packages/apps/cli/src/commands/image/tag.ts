import { messageOf } from '@berth/base'
import { defineCommand, exactly } from '../../command.ts'
import { StatusError } from '../../errors.ts'
import { splitReference } from '../../options/reference.ts'

export const command = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  aliases: ['image tag', 'tag'],
  count: exactly(2),
  flags: {},
  async run(cli, { args }) {
    const [source = '', target = ''] = args
    const { name, tag } = parseTarget(target)
    await cli.engine.images.tag(source, name, tag)
  },
})

function parseTarget(target: string): { name: string; tag: string } {
  let parts: { name: string; tag: string }
  try {
    parts = splitReference(target)
  } catch (error) {
    throw new StatusError(
      1,
      `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${messageOf(error)}`,
    )
  }
  if (target.includes('@')) throw new StatusError(1, 'refusing to create a tag with a digest reference')
  return parts
}
