import { createReadStream } from 'node:fs'
import { defineCommand, exactly } from '../../command.ts'
import { unpackContext } from '../../context/context-archive.ts'
import { hasContext, writeContext, writeTlsFiles } from '../../context/context-store.ts'
import { checkContextName } from '../../context/default-context.ts'
import { openInput } from '../image/load.ts'

export const command = defineCommand({
  usage: 'CONTEXT FILE|-',
  summary: 'Import a context from a tar file',
  count: exactly(2),
  flags: {},
  async run(cli, { args }) {
    const [name = '', file = ''] = args
    checkContextName(name)
    if (hasContext(cli.configDirectory, name)) throw new Error(`context ${JSON.stringify(name)} already exists`)
    const source = file === '-' ? createReadStream('', { fd: 0 }) : await openInput(file)
    const { context, tls } = await unpackContext(source)
    writeTlsFiles(cli.configDirectory, name, tls)
    writeContext(cli.configDirectory, { ...context, Name: name })
    cli.out(`${name}\n`)
    cli.err(`Successfully imported context ${JSON.stringify(name)}\n`)
  },
})
