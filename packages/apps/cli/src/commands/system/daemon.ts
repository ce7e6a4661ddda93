import { atLeast, defineCommand } from '../../command.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Run the Berth daemon',
  count: atLeast(0),
  flags: {},
  async run() {
    throw new Error("the daemon is started by the launcher: run 'berth daemon' by bin/berth")
  },
})
