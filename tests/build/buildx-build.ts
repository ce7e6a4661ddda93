import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { BuildxClient } from '../peers/buildx-client.ts'
import { type BuildCase, type BuildFacts, type BuildSaid, contextTar } from './build-facts.ts'

/** Docker counts the lengths of links among the bytes of a classic build's layer only. */
export const withoutSizes = ({ history, ...facts }: BuildFacts): BuildFacts => ({
  ...facts,
  history: history.map((line) => line.replace(/ \| \d+$/, '')),
})

/** Builds a case by the real buildx, as `buildFacts()` wants it. */
export const buildxBuild =
  (client: BuildxClient) =>
  async (build: BuildCase, tag: string): Promise<BuildSaid> => {
    const folder = mkdtempSync(join(client.folder, 'case-'))
    execFileSync('tar', ['-x', '-C', folder], { input: await contextTar(build) })
    const args = ['build', '--progress', 'plain', '--no-cache', '-t', tag, ...flagsOf(build), '.']
    const { code, stderr } = await client.run(folder, args)
    const warnings = stripVTControlCharacters(stderr).match(/(?<=^ - ).*$/gm) ?? []
    const error = code === 0 ? '' : (/^ERROR: failed to build: failed to solve: ([^]*)$/m.exec(stderr)?.[1] ?? stderr)
    // In which order a client shows them is a matter of luck.
    return { error: plainError(error), warnings: warnings.toSorted() }
  }

/** Ids of containers, and how a client puts it, are not the engine's. */
const plainError = (text: string): string =>
  text
    .replace(/ of ref [\w-]+::\w+:/, ' of ref:')
    .replace(/\/\S+\/overlay2\/\w+\/merged/, '')
    .trim()
    .split('\n')[0] ?? ''

function flagsOf({ query = {} }: BuildCase): string[] {
  const pairs = (flag: string, json = '{}') =>
    Object.entries(JSON.parse(json) as Record<string, string | null>).flatMap(([name, value]) =>
      value === null ? [] : [flag, `${name}=${value}`],
    )
  return [
    ...pairs('--build-arg', query['buildargs']),
    ...pairs('--label', query['labels']),
    ...(query['target'] === undefined ? [] : ['--target', query['target']]),
    ...(query['networkmode'] === undefined ? [] : ['--network', query['networkmode']]),
    ...(query['extrahosts'] === undefined ? [] : ['--add-host', query['extrahosts']]),
  ]
}
