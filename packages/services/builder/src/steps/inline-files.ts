import type { InlineFile } from '@berth/dockerfile'
import { invalid } from '@berth/base'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes documents of the Dockerfile as files of a directory of their own. */
export async function writeInlineFiles(
  directory: string,
  files: readonly InlineFile[],
  stack: AsyncDisposableStack,
): Promise<string> {
  const parent = join(directory, 'tmp')
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const root = await mkdtemp(join(parent, 'inline-'))
  stack.defer(() => rm(root, { recursive: true, force: true }))
  for (const { name, content } of files) {
    if (name.includes('/') || name === '.' || name === '..') throw invalid(`invalid heredoc name: ${name}`)
    await writeFile(join(root, name), content, { mode: 0o644 })
  }
  return root
}
