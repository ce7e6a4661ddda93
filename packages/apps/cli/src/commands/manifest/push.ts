import { type Digest, formatReference, nameOf, parseReference, type Reference } from '@berth/oci'
import type { Repository } from '@berth/registry'
import { defineCommand, exactly } from '../../command.ts'
import { configDirectory } from '../../config-file.ts'
import { boolean } from '../../flags/flag.ts'
import { blobsOf, bytesOf, type ManifestEntry } from '../../manifests/entry.ts'
import { ManifestLists } from '../../manifests/manifest-lists.ts'
import { openRegistryAccess, toReference } from '../../manifests/registry-access.ts'
import { renderList } from '../../manifests/render-list.ts'

export const command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST',
  summary: 'Push a manifest list to a repository',
  count: exactly(1),
  flags: {
    insecure: boolean('insecure', 'Allow push to an insecure registry'),
    purge: boolean('p,purge', 'Remove the local manifest list after push'),
  },
  async run(cli, { args, flags }) {
    const target = toReference(args[0] ?? '')
    const name = formatReference(target)
    const lists = new ManifestLists(configDirectory(cli.env, cli.globals.config))
    const entries = lists.list(name)
    if (entries === undefined || entries.length === 0) throw new Error(`No such manifest: ${name}`)
    for (const entry of entries) requireSameRegistry(entry, target)
    using access = openRegistryAccess(cli, flags)
    const repository = await access.repository(target)
    for (const entry of entries) {
      const digest = await pushImage(repository, entry, target)
      if (digest) cli.out(`Pushed ref ${nameOf(target)}@${digest} with digest: ${digest}\n`)
    }
    const { mediaType, text } = renderList(entries)
    const digest = await repository.putManifest(target.tag ?? 'latest', { mediaType, bytes: Buffer.from(text) })
    cli.out(`${digest}\n`)
    if (flags.purge) lists.remove(name)
  },
})

function requireSameRegistry({ Ref }: ManifestEntry, target: Reference): void {
  const { domain } = parseReference(Ref)
  if (domain === target.domain) return
  throw new Error(
    `cannot use source images from a different registry than the target image: ${domain} != ${target.domain}`,
  )
}

/** Brings an image of another repository into this one: its blobs are mounted. Undefined when it is there already. */
async function pushImage(repository: Repository, entry: ManifestEntry, target: Reference): Promise<Digest | undefined> {
  const { path } = parseReference(entry.Ref)
  if (path === target.path) return undefined
  for (const { digest, urls } of blobsOf(entry)) {
    if (urls !== undefined && urls.length > 0) continue
    if (await repository.mountBlob(digest, path)) continue
    if (await repository.hasBlob(digest)) continue
    throw new Error(`the registry does not mount ${digest} from ${path}: push its image to ${nameOf(target)} first`)
  }
  const { digest, mediaType } = entry.Descriptor
  return repository.putManifest(digest, { mediaType, bytes: bytesOf(entry) })
}
