import { defineCommand, exactly } from '../../command.ts'

const marks = ['C', 'A', 'D']

export const command = defineCommand({
  usage: 'CONTAINER',
  summary: "Inspect changes to files or directories on a container's filesystem",
  aliases: ['container diff', 'diff'],
  count: exactly(1),
  flags: {},
  async run(cli, { args }) {
    const changes = (await cli.engine.containers.changes(args[0] ?? '')) ?? []
    cli.out(changes.map(({ Kind, Path }) => `${marks[Kind]} ${Path}\n`).join(''))
  },
})
