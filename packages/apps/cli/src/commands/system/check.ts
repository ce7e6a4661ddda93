import type { CheckFinding } from '@berth/engine-client'
import { defineCommand, noArguments } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { render, type View } from '../../output/view.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Hold images, layers, directories, mounts and namespaces against the records of the engine',
  details: `Every blob is read and verified. With --repair what is safe to mend is mended: leftovers are removed,
stray mounts and namespaces released, garbage collected. Nothing that anything refers to is removed.
The exit code is 1 while something is not mended.`,
  count: noArguments,
  flags: {
    format: string('format', "Format the findings: 'json', or a Go template"),
    repair: boolean('repair', 'Mend what is safe to mend'),
  },
  async run(cli, { flags }) {
    const findings = await cli.engine.system.check(flags.repair)
    const defaults = ['Kind', 'Subject', 'Message', 'Remedy']
    if (flags.format !== '' || findings.length > 0)
      await render(cli, findings, view, { format: flags.format, defaults })
    const open = findings.filter(({ Repaired }) => !Repaired).length
    if (flags.format === '') cli.out(`${summary(findings.length, open)}\n`)
    return open === 0 ? 0 : 1
  },
})

function summary(found: number, open: number): string {
  if (found === 0) return 'Everything is as it should be.'
  return `${found} found, ${found - open} mended.`
}

const view: View<CheckFinding> = {
  goType: '*check.Finding',
  columns: {
    Kind: { header: 'KIND', value: ({ Kind }) => Kind },
    Subject: { header: 'SUBJECT', value: ({ Subject }) => Subject },
    Message: { header: 'FOUND', value: ({ Message }) => Message },
    Remedy: {
      header: 'REMEDY',
      value: ({ Remedy, Repaired }) => (Remedy === '' || Repaired ? Remedy : `--repair: ${Remedy}`),
    },
    Repaired: { header: 'REPAIRED', value: ({ Repaired }) => Repaired },
  },
}
