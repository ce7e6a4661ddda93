import { defineCommand, exactly } from '../../command.ts'
import { completionScripts } from '../../completion/scripts.ts'

export const command = defineCommand({
  usage: 'bash|zsh|fish',
  summary: 'Print the completion script for a shell',
  details: `In bash, for this session and for all:
  source <(berth completion bash)
  berth completion bash > /usr/share/bash-completion/completions/berth`,
  count: exactly(1),
  flags: {},
  async run(cli, { args: [shell = ''] }) {
    const script = Object.hasOwn(completionScripts, shell) ? completionScripts[shell] : undefined
    if (script === undefined) throw new Error(`no completion for ${JSON.stringify(shell)}: bash, zsh or fish`)
    cli.out(script)
  },
})
