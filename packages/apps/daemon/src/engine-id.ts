import { codeOf } from '@berth/base'
import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The engine's id, made once per data root. */
export async function engineId(dataRoot: string): Promise<string> {
  const path = join(dataRoot, 'engine-id')
  try {
    const id = (await readFile(path, 'utf8')).trim()
    if (/^[0-9a-f-]{36}$/.test(id)) return id
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
  const id = randomUUID()
  await writeFile(`${path}.new`, id, { mode: 0o600 })
  await rename(`${path}.new`, path)
  return id
}
