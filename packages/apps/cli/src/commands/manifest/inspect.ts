import { formatReference, type Reference } from '@berth/oci'
import type { Cli } from '../../cli.ts'
import { between, defineCommand } from '../../command.ts'
import { configDirectory } from '../../config-file.ts'
import { boolean } from '../../flags/flag.ts'
import { bytesOf, type ManifestEntry } from '../../manifests/entry.ts'
import { ManifestLists } from '../../manifests/manifest-lists.ts'
import { fetchDocument, fetchEntry, openRegistryAccess, toReference } from '../../manifests/registry-access.ts'
import { indentJson } from '../../output/json-indent.ts'
import { renderList } from '../../manifests/render-list.ts'

export const command = defineCommand({
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  summary: 'Display an image manifest, or manifest list',
  count: between(1, 2),
  flags: {
    insecure: boolean('insecure', 'Allow communication with an insecure registry'),
    verbose: boolean('v,verbose', 'Output additional info including layers and platform'),
  },
  async run(cli, { args, flags }) {
    const lists = new ManifestLists(configDirectory(cli.env, cli.globals.config))
    const reference = toReference(args.at(-1) ?? '')
    const name = formatReference(reference)
    if (args.length === 2) {
      const entry = lists.find(formatReference(toReference(args[0] ?? '')), name)
      if (entry === undefined) throw new Error(`No such manifest: ${name}`)
      return printImage(cli, entry, flags.verbose)
    }
    const entries = lists.list(name)
    if (entries !== undefined) return printList(cli, entries, flags.verbose)
    await printRemote(cli, reference, flags)
  },
})

const tabbed = (value: unknown): string => `${JSON.stringify(value, undefined, '\t')}\n`
const indented = (json: Buffer, unit: string): string => `${indentJson(json.toString(), '', unit)}\n`

function printImage(cli: Cli, entry: ManifestEntry, verbose: boolean): void {
  cli.out(verbose ? tabbed(entry) : indented(bytesOf(entry), '\t'))
}

function printList(cli: Cli, entries: readonly ManifestEntry[], verbose: boolean): void {
  cli.out(verbose ? tabbed(entries) : `${renderList(entries).text}\n`)
}

async function printRemote(
  cli: Cli,
  reference: Reference,
  { insecure, verbose }: { readonly insecure: boolean; readonly verbose: boolean },
): Promise<void> {
  using access = openRegistryAccess(cli, { insecure })
  const repository = await access.repository(reference)
  const name = formatReference(reference)
  const { document, bytes } = await fetchDocument(repository, reference)
  if (document.kind === 'manifest') {
    return verbose
      ? printImage(cli, await fetchEntry(repository, reference, name), true)
      : void cli.out(indented(bytes, '\t'))
  }
  if (!verbose) return void cli.out(indented(bytes, '   '))
  const entries: ManifestEntry[] = []
  for (const { digest, platform } of document.index.manifests) {
    const pinned: Reference = { domain: reference.domain, path: reference.path, digest }
    const entry = await fetchEntry(repository, pinned, `${name}@${digest}`)
    entries.push(platform ? { ...entry, Descriptor: { ...entry.Descriptor, platform } } : entry)
  }
  printList(cli, entries, true)
}
