import { formatReference } from '@berth/oci'
import { messageOf } from '@berth/base'
import { atLeast, defineCommand } from '../../command.ts'
import { configDirectory } from '../../config-file.ts'
import { ManifestLists } from '../../manifests/manifest-lists.ts'
import { toReference } from '../../manifests/registry-access.ts'

export const command = defineCommand({
  usage: 'MANIFEST_LIST [MANIFEST_LIST...]',
  summary: 'Delete one or more manifest lists from local storage',
  count: atLeast(1),
  flags: {},
  async run(cli, { args }) {
    const lists = new ManifestLists(configDirectory(cli.env, cli.globals.config))
    const failures = args.flatMap((list) => {
      try {
        const name = formatReference(toReference(list))
        return lists.remove(name) ? [] : [`No such manifest: ${name}`]
      } catch (error) {
        return [messageOf(error)]
      }
    })
    if (failures.length > 0) throw new Error(failures.join('\n'))
  },
})
