import type { ProgressMessage } from '@berth/engine-api'
import { formatReference, isNameOnly, nameOf, parseReference, type Reference } from '@berth/oci'
import type { Cli } from '../../cli.ts'
import { defineCommand, exactly } from '../../command.ts'
import { registryAuthHeader } from '../../credentials/registry-auth.ts'
import { boolean, string } from '../../flags/flag.ts'
import { platformQuery } from '../../options/platform.ts'
import { printNote } from '../../output/note.ts'
import { printProgress } from '../../output/progress.ts'
import { requireNoTrust } from './content-trust.ts'

export const command = defineCommand({
  usage: '[OPTIONS] NAME[:TAG]',
  summary: 'Upload an image to a registry',
  aliases: ['image push', 'push'],
  count: exactly(1),
  flags: {
    allTags: boolean('a,all-tags', 'Push all tags of an image to the repository'),
    disableContentTrust: boolean('disable-content-trust', 'Skip image signing (default true)', true),
    platform: string(
      'platform',
      `Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`,
    ),
    quiet: boolean('q,quiet', 'Suppress verbose output'),
  },
  async run(cli, { flags, args: [text = ''] }) {
    requireNoTrust(flags.disableContentTrust)
    const platform = wantedPlatform(cli, flags.platform)
    const reference = wantedReference(cli, parseReference(text), flags)
    const auth = await registryAuthHeader(cli, reference.domain)
    const query = { tag: reference.tag, platform, ...(auth !== undefined && { auth }) }
    const notes: string[] = []
    const messages = noting(cli.engine.images.push(nameOf(reference), query), notes)
    await printProgress(cli, messages, flags.quiet ? 'silent' : 'stdout')
    if (flags.quiet) cli.out(`${formatReference(reference)}\n`)
    for (const note of notes) printNote(cli, note)
  },
})

function wantedPlatform(cli: Cli, text: string): string | undefined {
  if (text === '') return undefined
  const query = platformQuery(text, `Invalid platform ${text}`)
  printNote(
    cli,
    'Using --platform pushes only the specified platform manifest of a multi-platform image index.\n' +
      'Other components, like attestations, will not be included.\n' +
      'To push the complete multi-platform image, remove the --platform flag.\n',
  )
  return query
}

function wantedReference(
  cli: Cli,
  reference: Reference,
  { allTags, quiet }: { readonly allTags: boolean; readonly quiet: boolean },
): Reference {
  if (reference.digest !== undefined) throw new Error('cannot push a digest reference')
  if (allTags && !isNameOnly(reference)) throw new Error("tag can't be used with --all-tags/-a")
  if (allTags || !isNameOnly(reference)) return reference
  if (!quiet) cli.out('Using default tag: latest\n')
  return { ...reference, tag: 'latest' }
}

interface InsteadOfIndex {
  readonly manifestPushedInsteadOfIndex?: boolean
  readonly originalIndex?: { readonly digest?: string }
  readonly selectedManifest?: { readonly digest?: string }
}

/** The messages, with what the engine wants noted at the end put into `notes`. */
async function* noting(messages: AsyncIterable<ProgressMessage>, notes: string[]): AsyncGenerator<ProgressMessage> {
  for await (const message of messages) {
    const aux = message.aux as InsteadOfIndex | undefined
    if (aux?.manifestPushedInsteadOfIndex) {
      notes.push(
        'Not all multiplatform-content is present and only the available single-platform image was pushed\n' +
          `${aux.originalIndex?.digest} -> ${aux.selectedManifest?.digest}`,
      )
    }
    yield message
  }
}
