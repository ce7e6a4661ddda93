import { escapeAsGo } from '@berth/base'
import type { Cli } from '../../cli.ts'
import { atLeast, defineCommand } from '../../command.ts'
import { contextPaths, defaultContextName, readContext, readTlsFiles } from '../../context/context-store.ts'
import { currentContext } from '../../context/current-context.ts'
import { defaultContext } from '../../context/default-context.ts'
import { string } from '../../flags/flag.ts'
import { formatHelp } from '../../output/format-help.ts'
import { inspectAll } from '../../output/inspect.ts'

export const command = defineCommand({
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  summary: 'Display detailed information on one or more contexts',
  count: atLeast(0),
  flags: { format: string('f,format', formatHelp) },
  run: (cli, { args, flags }) =>
    inspectAll(cli, args.length > 0 ? args : [currentContext(cli.contextSources)], {
      format: flags.format,
      fetch: async (name) => ({ type: 'context', text: describeText(cli, name) }),
    }),
})

const inMemory = '<IN MEMORY>'

/** JSON as Go writes it. */
function describeText(cli: Cli, name: string): string {
  return escapeAsGo(JSON.stringify(describe(cli, name)))
}

function describe(cli: Cli, name: string): object {
  if (name === defaultContextName) {
    return { ...defaultContext(cli), TLSMaterial: {}, Storage: { MetadataPath: inMemory, TLSPath: inMemory } }
  }
  const context = readContext(cli.configDirectory, name)
  const files = Object.keys(readTlsFiles(cli.configDirectory, name)).toSorted()
  const { metadata, tls } = contextPaths(cli.configDirectory, name)
  return {
    ...context,
    TLSMaterial: files.length > 0 ? { docker: files } : {},
    Storage: { MetadataPath: metadata, TLSPath: tls },
  }
}
