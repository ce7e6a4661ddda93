import { writeFileSync } from 'node:fs'
import { codeOf } from '@berth/base'
import { between, defineCommand } from '../../command.ts'
import { packContext } from '../../context/context-archive.ts'
import { defaultContextName, readContext, readTlsFiles } from '../../context/context-store.ts'
import { checkContextName, defaultContext } from '../../context/default-context.ts'
import { reasonOf } from '../../options/key-values.ts'

export const command = defineCommand({
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  summary: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
  count: between(1, 2),
  flags: {},
  async run(cli, { args }) {
    const [name = '', file = `${name}.dockercontext`] = args
    const isDefault = name === defaultContextName
    if (!isDefault) checkContextName(name)
    const context = isDefault ? defaultContext(cli) : readContext(cli.configDirectory, name)
    const archive = await packContext({ context, tls: isDefault ? {} : readTlsFiles(cli.configDirectory, name) })
    if (file === '-') {
      if (cli.isTerminal(1)) throw new Error('cowardly refusing to export to a terminal, specify a file path')
      return cli.out(archive)
    }
    writeNew(file, archive)
    cli.err(`Written file ${JSON.stringify(file)}\n`)
  },
})

function writeNew(file: string, bytes: Buffer): void {
  try {
    writeFileSync(file, bytes, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const reason = codeOf(error) === 'EEXIST' ? 'file exists' : reasonOf(error)
    throw new Error(`open ${file}: ${reason}`, { cause: error })
  }
}
