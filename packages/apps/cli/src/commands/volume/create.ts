import { between, defineCommand } from '../../command.ts'
import { bytes, hidden, list, string } from '../../flags/flag.ts'
import type { Parsed } from '../../flags/parse-flags.ts'
import { checkLabel, keyValues, toRecord } from '../../options/key-values.ts'

const flags = {
  availability: hidden(string('availability', 'Cluster Volume availability ("active", "pause", "drain")', 'active')),
  driver: string('d,driver', 'Specify volume driver name (default "local")', 'local'),
  group: hidden(string('group', 'Cluster Volume group (cluster volumes)')),
  label: list('label', 'Set metadata for a volume', { check: checkLabel }),
  limitBytes: hidden(bytes('limit-bytes', 'Minimum size of the Cluster Volume in bytes')),
  name: hidden(string('name', 'Specify volume name')),
  opt: keyValues('o,opt', 'Set driver specific options (default map[])'),
  requiredBytes: hidden(bytes('required-bytes', 'Maximum size of the Cluster Volume in bytes')),
  scope: hidden(string('scope', 'Cluster Volume access scope ("single", "multi")', 'single')),
  secret: hidden(keyValues('secret', 'Cluster Volume secrets')),
  sharing: hidden(string('sharing', 'Cluster Volume access sharing', 'none')),
  topologyPreferred: hidden(list('topology-preferred', 'A topology that the Cluster Volume would be preferred in')),
  topologyRequired: hidden(list('topology-required', 'A topology that the Cluster Volume must be accessible from')),
  type: hidden(string('type', 'Cluster Volume access type ("mount", "block")', 'block')),
}

const clusterFlags = [
  'availability',
  'group',
  'limitBytes',
  'requiredBytes',
  'scope',
  'secret',
  'sharing',
  'topologyPreferred',
  'topologyRequired',
  'type',
] as const

export const command = defineCommand({
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Create a volume',
  count: between(0, 1),
  flags,
  async run(cli, parsed) {
    const { Name } = await cli.engine.volumes.create(buildBody(parsed))
    cli.out(`${Name}\n`)
  },
})

function buildBody({ args, flags: given, changed }: Parsed<typeof flags>) {
  const cluster = clusterFlags.find((flag) => changed(flag))
  if (cluster !== undefined)
    throw new Error(`--${flags[cluster].name} is for cluster volumes: swarm mode is not supported`)
  if (given.name !== '' && args[0] !== undefined) {
    throw new Error('conflicting options: cannot specify a volume-name through both --name and as a positional arg')
  }
  return {
    Name: args[0] ?? given.name,
    Driver: given.driver,
    DriverOpts: given.opt,
    ...(given.label.length > 0 && { Labels: toRecord(given.label) }),
  }
}
