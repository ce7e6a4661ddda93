import { atLeast, defineCommand } from '../../command.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Run a registry of images',
  count: atLeast(0),
  flags: {},
  async run() {
    throw new Error("the registry is started by the launcher: run 'berth registry serve' by bin/berth")
  },
})
