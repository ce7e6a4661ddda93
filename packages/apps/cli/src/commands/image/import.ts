import { createReadStream } from 'node:fs'
import { atLeast, defineCommand } from '../../command.ts'
import { list, string } from '../../flags/flag.ts'
import { platformFlag } from '../../options/platform.ts'
import { splitReference } from '../../options/reference.ts'
import { printProgress } from '../../output/progress.ts'
import { openInput } from './load.ts'

export const command = defineCommand({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  summary: 'Import the contents from a tarball to create a filesystem image',
  aliases: ['image import', 'import'],
  count: atLeast(1, 2),
  flags: {
    change: list('c,change', 'Apply Dockerfile instruction to the created image'),
    message: string('m,message', 'Set commit message for imported image'),
    platform: platformFlag,
  },
  async run(cli, { args, flags }) {
    const [source = '', repository] = args
    if (repository !== undefined) splitReference(repository)
    const isUrl = /^(https?|git):\/\//.test(source)
    const stream = isUrl ? undefined : source === '-' ? createReadStream('', { fd: 0 }) : await openInput(source)
    const messages = cli.engine.images.import(
      {
        source: isUrl ? source : '-',
        repository,
        message: flags.message === '' ? undefined : flags.message,
        changes: flags.change,
        platform: flags.platform === '' ? undefined : flags.platform,
      },
      stream,
    )
    await printProgress(cli, messages, 'stdout')
  },
})
