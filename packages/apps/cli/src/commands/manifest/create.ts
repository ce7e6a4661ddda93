import { formatReference } from '@berth/oci'
import { atLeast, defineCommand } from '../../command.ts'
import { configDirectory } from '../../config-file.ts'
import { boolean } from '../../flags/flag.ts'
import { ManifestLists } from '../../manifests/manifest-lists.ts'
import { fetchEntry, openRegistryAccess, toReference } from '../../manifests/registry-access.ts'

export const command = defineCommand({
  usage: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
  summary: 'Create a local manifest list for annotating and pushing to a registry',
  count: atLeast(2),
  flags: {
    amend: boolean('a,amend', 'Amend an existing manifest list'),
    insecure: boolean('insecure', 'Allow communication with an insecure registry'),
  },
  async run(cli, { args, flags }) {
    const [list = '', ...images] = args
    const name = formatReference(toReference(list, `error parsing name for manifest list ${list}: `))
    const lists = new ManifestLists(configDirectory(cli.env, cli.globals.config))
    if (!flags.amend && lists.list(name) !== undefined) {
      throw new Error('refusing to amend an existing manifest list with no --amend flag')
    }
    using access = openRegistryAccess(cli, flags)
    for (const image of images) {
      const reference = toReference(image)
      const imageName = formatReference(reference)
      const entry =
        lists.find(name, imageName) ?? (await fetchEntry(await access.repository(reference), reference, imageName))
      lists.save(name, imageName, entry)
    }
    cli.out(`Created manifest list ${name}\n`)
  },
})
