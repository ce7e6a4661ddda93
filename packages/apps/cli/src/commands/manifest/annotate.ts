import { formatReference, type Platform } from '@berth/oci'
import { defineCommand, exactly } from '../../command.ts'
import { configDirectory } from '../../config-file.ts'
import { commaList, string } from '../../flags/flag.ts'
import { isKnownPlatform } from '../../manifests/known-platforms.ts'
import { ManifestLists } from '../../manifests/manifest-lists.ts'
import { toReference } from '../../manifests/registry-access.ts'

export const command = defineCommand({
  usage: '[OPTIONS] MANIFEST_LIST MANIFEST',
  summary: 'Add additional information to a local image manifest',
  count: exactly(2),
  flags: {
    arch: string('arch', 'Set architecture'),
    os: string('os', 'Set operating system'),
    osFeatures: commaList('os-features', 'Set operating system feature'),
    osVersion: string('os-version', 'Set operating system version'),
    variant: string('variant', 'Set architecture variant'),
  },
  async run(cli, { args, flags }) {
    const [list = '', image = ''] = args
    const name = formatReference(toReference(list, `annotate: error parsing name for manifest list (${list}): `))
    const imageName = formatReference(toReference(image, `annotate: error parsing name for manifest (${image}): `))
    const lists = new ManifestLists(configDirectory(cli.env, cli.globals.config))
    const entry = lists.find(name, imageName)
    if (entry === undefined) throw new Error(`manifest for image ${image} does not exist in ${list}`)
    const before: Platform = entry.Descriptor.platform ?? { architecture: '', os: '' }
    const platform: Platform = {
      architecture: flags.arch || before.architecture,
      os: flags.os || before.os,
      ...member('os.version', flags.osVersion || before['os.version']),
      ...member('os.features', flags.osFeatures.length > 0 ? [...flags.osFeatures] : before['os.features']),
      ...member('variant', flags.variant || before.variant),
    }
    if (!isKnownPlatform(platform.os, platform.architecture)) {
      throw new Error(`manifest entry for image has unsupported os/arch combination: ${flags.os}/${flags.arch}`)
    }
    lists.save(name, imageName, { ...entry, Descriptor: { ...entry.Descriptor, platform } })
  },
})

const member = <N extends string, T>(name: N, value: T | undefined): { [K in N]?: T } =>
  value === undefined ? {} : ({ [name]: value } as { [K in N]?: T })
