import { defineCommand, noArguments } from '../../command.ts'
import { gatherFacts } from '../../doctor/gather.ts'
import { type Finding, judge, type Verdict } from '../../doctor/judge.ts'
import { string } from '../../flags/flag.ts'
import { paint } from '../../output/color.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Check the host and the engine, and say how to mend what is wrong',
  details: 'Ends with exit code 1 if there is a problem; warnings are no failure.',
  count: noArguments,
  flags: { format: string('format', "Print as a list, or as JSON ('json')") },
  async run(cli, { flags }) {
    if (flags.format !== '' && flags.format !== 'json') {
      throw new Error(`invalid --format ${JSON.stringify(flags.format)}: only 'json' is there`)
    }
    const findings = judge(await gatherFacts(cli))
    const colored = (text: string, verdict: Verdict): string => paint(cli, 1, colors[verdict], text)
    cli.out(
      flags.format === 'json' ? `${JSON.stringify(findings)}\n` : findings.map((one) => line(one, colored)).join(''),
    )
    return findings.some(({ Verdict }) => Verdict === 'problem') ? 1 : 0
  },
})

const colors = { ok: 'green', warning: 'yellow', problem: 'red' } as const

function line({ Check, Verdict, Found, Remedy }: Finding, colored: (text: string, verdict: Verdict) => string): string {
  const mark = colored(Verdict.padEnd(8), Verdict)
  const head = `${mark} ${Check.padEnd(12)} ${Found}\n`
  return Remedy === '' ? head : `${head}${' '.repeat(22)}-> ${Remedy}\n`
}
