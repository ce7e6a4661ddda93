import { formatReference, isNameOnly, nameOf, parseReference, type Reference } from '@berth/oci'
import type { Cli } from '../../cli.ts'
import { defineCommand, exactly } from '../../command.ts'
import { registryAuthHeader } from '../../credentials/registry-auth.ts'
import { boolean } from '../../flags/flag.ts'
import { platformFlag } from '../../options/platform.ts'
import { printProgress } from '../../output/progress.ts'
import { requireNoTrust } from './content-trust.ts'

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Download an image from a registry',
  aliases: ['image pull', 'pull'],
  count: exactly(1),
  flags: {
    allTags: boolean('a,all-tags', 'Download all tagged images in the repository'),
    disableContentTrust: boolean('disable-content-trust', 'Skip image verification (default true)', true),
    platform: platformFlag,
    quiet: boolean('q,quiet', 'Suppress verbose output'),
  },
  async run(cli, { flags, args: [text = ''] }) {
    requireNoTrust(flags.disableContentTrust)
    const reference = wantedReference(cli, parseReference(text), flags)
    const { domain, tag, digest } = reference
    const auth = await registryAuthHeader(cli, domain)
    const query = {
      tag: digest ?? tag,
      platform: flags.platform === '' ? undefined : flags.platform,
      ...(auth !== undefined && { auth }),
    }
    await printProgress(cli, cli.engine.images.pull(nameOf(reference), query), flags.quiet ? 'silent' : 'stdout')
    cli.out(`${formatReference(reference)}\n`)
  },
})

/** A name alone means its latest tag, or all of them where that is asked for. */
function wantedReference(
  cli: Cli,
  reference: Reference,
  { allTags, quiet }: { readonly allTags: boolean; readonly quiet: boolean },
): Reference {
  if (allTags && !isNameOnly(reference)) throw new Error("tag can't be used with --all-tags/-a")
  if (allTags || !isNameOnly(reference)) return reference
  const tagged = { ...reference, tag: 'latest' }
  if (!quiet) cli.out('Using default tag: latest\n')
  return tagged
}
