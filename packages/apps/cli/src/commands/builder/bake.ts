import { askEntitlements } from '../../bake/ask-entitlements.ts'
import { type BakeFile, readBakeFiles } from '../../bake/bake-files.ts'
import { isRemote } from '../../buildkit/remote-context.ts'
import { parseEntitlements } from '../../bake/entitlements.ts'
import { loadedFiles } from '../../bake/loaded-files.ts'
import { asBakeFailure } from '../../bake/plan-bake.ts'
import { prepareBake } from '../../bake/prepare-bake.ts'
import { parseCall } from '../../buildkit/parse/call.ts'
import { chooseMode, type ProgressMode } from '../../buildkit/progress/open-view.ts'
import { PlainView } from '../../buildkit/progress/plain-view.ts'
import type { Cli } from '../../cli.ts'
import { atLeast, defineCommand } from '../../command.ts'
import { boolean, type Flag, type FlagValues, list, string } from '../../flags/flag.ts'
import { requireBuilder } from './buildkit-build.ts'

/** A switch that says nothing when it is not given. */
const optionalBoolean = (spec: string, help: string): Flag<boolean | undefined> => {
  const flag = boolean(spec, help)
  return { ...flag, initial: undefined, parse: (text) => flag.parse(text, false) }
}

const texts = (spec: string, help: string): Flag<readonly string[]> => list(spec, help, { placeholder: 'stringArray' })

const flags = {
  allow: texts('allow', 'Allow build to access specified resources'),
  builder: string('builder', 'Override the configured builder instance'),
  call: string('call', 'Set method for evaluating build ("check", "outline", "targets")', 'build'),
  check: boolean('check', 'Shorthand for "--call=check"'),
  debug: boolean('D,debug', 'Enable debug logging'),
  file: texts('f,file', 'Build definition file'),
  list: string('list', 'List targets or variables'),
  load: boolean('load', 'Shorthand for "--set=*.output=type=docker". Conditional.'),
  metadataFile: string('metadata-file', 'Write build result metadata to a file'),
  noCache: optionalBoolean('no-cache', 'Do not use cache when building the image'),
  print: boolean('print', 'Print the options without building'),
  progress: string(
    'progress',
    'Set type of progress output ("auto", "none",  "plain", "quiet", "rawjson", "tty"). Use plain to show container output',
    'auto',
  ),
  provenance: string('provenance', 'Shorthand for "--set=*.attest=type=provenance"'),
  pull: optionalBoolean('pull', 'Always attempt to pull all referenced images'),
  push: boolean('push', 'Shorthand for "--set=*.output=type=registry". Conditional.'),
  sbom: string('sbom', 'Shorthand for "--set=*.attest=type=sbom"'),
  set: texts('set', 'Override target value (e.g., "targetpattern.key=value")'),
  variable: texts('var', 'Set a variable value (e.g., "name=value")'),
}

export type BakeFlags = FlagValues<typeof flags>

export const command = defineCommand({
  usage: '[OPTIONS] [TARGET...]',
  summary: 'Build from a file',
  aliases: ['buildx bake', 'buildx f', 'builder bake'],
  count: atLeast(0),
  flags,
  async run(cli, { args, flags: given }) {
    try {
      return await bake(cli, args, given)
    } catch (error) {
      throw asBakeFailure(error)
    }
  },
})

/** Resolves to the exit code. */
async function bake(cli: Cli, args: readonly string[], given: BakeFlags): Promise<number> {
  if (args[0] !== undefined && isRemote(args[0])) {
    throw new Error(`definitions are read from files only: ${args[0]} is remote`)
  }
  requireBuilder(cli, given.builder)
  const mode = chooseMode(cli, given.progress)
  const granted = parseEntitlements(given.allow)
  const files = readBakeFiles(given.file, cli.env)
  const prepared = prepareBake(args, given, files, cli.env)
  if ('answer' in prepared) {
    showLoading(cli, mode, files)
    cli.out(prepared.answer)
    return 0
  }
  const targets = prepared.selection.targets.values()
  await askEntitlements(cli, targets, { granted, words: wordsAfterBake(process.argv) })
  const { buildTargets } = await import('../../bake/build-targets.ts')
  const call = parseCall(given.check ? 'check' : given.call)
  return await buildTargets(given.debug ? withDebug(cli) : cli, prepared.selection, {
    files,
    mode,
    metadataFile: given.metadataFile,
    call,
  })
}

/** Without a build, that definitions were read is all there is to show. */
function showLoading(cli: Cli, mode: ProgressMode, files: readonly BakeFile[]): void {
  if (mode !== 'plain') return
  const view = new PlainView((text) => cli.err(text))
  view.take(loadedFiles(files), '')
  view.end()
}

const withDebug = (cli: Cli): Cli => Object.create(cli, { globals: { value: { ...cli.globals, debug: true } } }) as Cli

const wordsAfterBake = (words: readonly string[]): string[] =>
  words.slice(words.findIndex((word) => word === 'bake' || word === 'f') + 1)
