import { readBakeFiles } from '../../bake/bake-files.ts'
import { isRemote } from '../../bake/check-target.ts'
import { prepareBake } from '../../bake/prepare-bake.ts'
import { tellOfFiles } from '../../bake/tell-of-files.ts'
import { atLeast, defineCommand } from '../../command.ts'
import { boolean, type Flag, type FlagValues, list, string } from '../../flags/flag.ts'

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
    if (args[0] !== undefined && isRemote(args[0])) {
      throw new Error(`definitions are read from files only: ${args[0]} is remote`)
    }
    const files = readBakeFiles(given.file, cli.env)
    tellOfFiles(cli, files, given.progress)
    const prepared = prepareBake(args, given, files, cli.env)
    if ('answer' in prepared) return cli.out(prepared.answer)
    throw new Error(
      'bake prints and lists what it would build; to build it, put docker-buildx into ~/.docker/cli-plugins or /usr/libexec/docker/cli-plugins',
    )
  },
})
