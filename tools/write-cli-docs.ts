// Writes docs/cli from the commands themselves: npm run cli-docs. With a folder, man pages into it as well.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientVersion } from '../packages/apps/cli/src/client-version.ts'
import { manPages } from '../packages/apps/cli/src/reference/man-page.ts'
import { fileName, listPages, markdownIndex, markdownPage } from '../packages/apps/cli/src/reference/pages.ts'

const pages = await listPages()
const [manDirectory] = process.argv.slice(2)
if (manDirectory === undefined) {
  const directory = fileURLToPath(new URL('../docs/cli/', import.meta.url))
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  for (const page of pages) writeFileSync(join(directory, fileName(page)), markdownPage(page))
  writeFileSync(join(directory, 'README.md'), markdownIndex(pages))
} else {
  mkdirSync(manDirectory, { recursive: true })
  for (const page of pages) {
    for (const [name, text] of manPages(page, clientVersion)) writeFileSync(join(manDirectory, name), text)
  }
}
