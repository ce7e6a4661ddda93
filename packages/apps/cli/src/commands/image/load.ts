import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { defineCommand, noArguments } from '../../command.ts'
import { StatusError } from '../../errors.ts'
import { boolean, string } from '../../flags/flag.ts'
import { reasonOf } from '../../options/key-values.ts'
import { platformQuery } from '../../options/platform.ts'
import { printProgress } from '../../output/progress.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Load an image from a tar archive or STDIN',
  aliases: ['image load', 'load'],
  count: noArguments,
  flags: {
    input: string('i,input', 'Read from tar archive file, instead of STDIN'),
    platform: string(
      'platform',
      'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    quiet: boolean('q,quiet', 'Suppress the load output'),
  },
  async run(cli, { flags }) {
    if (flags.input === '' && cli.isTerminal(0)) throw new Error('requested load from stdin, but stdin is empty')
    const quiet = flags.quiet || !cli.isTerminal(1)
    const query = { quiet: quiet || undefined, platform: platformQuery(flags.platform) }
    const input = flags.input === '' ? createReadStream('', { fd: 0 }) : await openInput(flags.input)
    await printProgress(cli, cli.engine.images.load(input, query), 'stdout')
  },
})

/** Opens before anything is sent; throws a `StatusError` in the words of the kernel. */
export async function openInput(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = await open(path).catch((error: unknown) => {
    throw new StatusError(1, `open ${path}: ${reasonOf(error)}`)
  })
  if ((await file.stat()).isDirectory()) {
    await file.close()
    throw new StatusError(1, `read ${path}: is a directory`)
  }
  return file.createReadStream({ highWaterMark: 1024 * 1024 })
}
