import { defineCommand, noArguments } from '../../command.ts'
import { string } from '../../flags/flag.ts'
import { planUsageMap, usageMapNodes } from '../../map/usage-map.ts'
import { drawTree } from '../../output/tree.ts'

export const command = defineCommand({
  usage: '[OPTIONS]',
  summary: 'Show which containers use which image, volume and network',
  count: noArguments,
  flags: { format: string('format', "Print as a tree, or as JSON ('json')") },
  async run(cli, { flags }) {
    if (flags.format !== '' && flags.format !== 'json') {
      throw new Error(`invalid --format ${JSON.stringify(flags.format)}: only 'json' is there`)
    }
    const { containers, images, volumes, networks } = cli.engine
    const [allContainers, allImages, allVolumes, allNetworks] = await Promise.all([
      containers.list({ all: true }),
      images.list(),
      volumes.list(),
      networks.list(),
    ])
    const map = planUsageMap({
      containers: allContainers,
      images: allImages,
      volumes: allVolumes.Volumes ?? [],
      networks: allNetworks,
    })
    cli.out(flags.format === 'json' ? `${JSON.stringify(map)}\n` : drawTree(usageMapNodes(map)))
  },
})
