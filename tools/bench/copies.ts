import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Sample, Scale } from './cases.ts'
import type { BenchEngine } from './engine.ts'
import { timeMs } from './time.ts'

let sources: { readonly file: string; readonly tree: string } | undefined

/** What is copied in, written once: a file of random bytes, and a tree of small files in folders of a hundred. */
function sourcesOf({ copyMb, copyFiles }: Scale): { readonly file: string; readonly tree: string } {
  if (sources) return sources
  const folder = scratch()
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const [file, tree] = [join(folder, 'file'), join(folder, 'tree')]
  writeFileSync(file, randomBytes(copyMb * 1e6))
  for (let i = 0; i < copyFiles; i++) {
    const directory = join(tree, String(Math.floor(i / 100)))
    if (i % 100 === 0) mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, String(i)), `file ${i}\n`.repeat(100))
  }
  return (sources = { file, tree })
}

const scratch = (): string => mkdtempSync(join(tmpdir(), 'berth-bench-'))

/**
 * `docker cp` of a large file and of many small ones, into a container that never ran and out of it: the small ones as an
 * archive, for to unpack it is the client's own work, and takes it ten times as long as the engine.
 */
export async function copies(engine: BenchEngine, scale: Scale): Promise<Sample> {
  const { file, tree } = sourcesOf(scale)
  const id = await engine.create(['true'])
  const out = scratch()
  const copy = (from: string, to: string) => timeMs(() => engine.docker('cp', '-q', from, to))
  try {
    return {
      'cp-in': await copy(file, `${id}:/file`),
      'cp-out': await copy(`${id}:/file`, join(out, 'file')),
      'cp-tree-in': await copy(tree, `${id}:/tree`),
      'cp-tree-out': await copy(`${id}:/tree`, '-'),
    }
  } finally {
    rmSync(out, { recursive: true, force: true })
    await engine.call('DELETE', `/containers/${id}?force=1`)
  }
}

/** Commits a container that has made a thousand files, and removes the image. */
export async function commits(engine: BenchEngine): Promise<Sample> {
  const script = 'mkdir /made; for i in $(seq 1000); do echo $i > /made/$i; done'
  const id = await engine.create(['sh', '-c', script])
  try {
    await engine.call('POST', `/containers/${id}/start`)
    await engine.call('POST', `/containers/${id}/wait`)
    const repo = 'berth-bench-commit'
    const commit = await timeMs(() => engine.call('POST', `/commit?container=${id}&repo=${repo}&tag=latest`))
    const remove = await timeMs(() => engine.call('DELETE', `/images/${repo}:latest`))
    return { 'commit-1000': commit, 'commit-rm': remove }
  } finally {
    await engine.call('DELETE', `/containers/${id}?force=1`)
  }
}
