import { isStatus } from '@berth/engine-client'
import type { Cli } from '../../cli.ts'
import { atLeast, defineCommand } from '../../command.ts'
import { boolean, string } from '../../flags/flag.ts'
import { formatHelp } from '../../output/format-help.ts'
import { inspectAll, type ObjectType } from '../../output/inspect.ts'

const kinds = ['container', 'image', 'network', 'volume', 'plugin'] as const
/** Known to docker; this engine has no swarm. */
const swarmKinds = ['config', 'node', 'secret', 'service', 'task']

export const command = defineCommand({
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Return low-level information on Docker objects',
  count: atLeast(1),
  flags: {
    format: string('f,format', formatHelp),
    size: boolean('s,size', 'Display total file sizes if the type is container'),
    type: string('type', 'Only inspect objects of the given type'),
  },
  async run(cli, { args, flags, changed }) {
    const type = changed('type') ? checkType(flags.type) : undefined
    await inspectAll(cli, args, {
      format: flags.format,
      async fetch(name) {
        const { size } = flags
        const found = await (type === undefined ? fetchAny(cli, name, size) : fetchOne(cli, type, { name, size }))
        if (size && found.type !== 'container') cli.err(`WARNING: --size ignored for ${found.type}\n`)
        return found
      },
    })
  },
})

function checkType(type: string): ObjectType {
  const known = kinds.find((kind) => kind === type)
  if (known !== undefined) return known
  if (swarmKinds.includes(type))
    throw new Error(`objects of type "${type}" belong to swarm mode, which is not supported`)
  const all = [...kinds, ...swarmKinds].toSorted().map((kind) => JSON.stringify(kind))
  throw new Error(`unknown type: ${JSON.stringify(type)}: must be one of ${all.join(', ')}`)
}

async function fetchAny(cli: Cli, name: string, size: boolean): Promise<{ type: ObjectType; text: string }> {
  for (const type of kinds) {
    try {
      return await fetchOne(cli, type, { name, size })
    } catch (error) {
      const absent = isStatus(error, 404) || (type === 'plugin' && (isStatus(error, 501) || isStatus(error, 400)))
      if (!absent) throw error
    }
  }
  throw new Error(`Error: No such object: ${name}`)
}

async function fetchOne(
  cli: Cli,
  type: ObjectType,
  { name, size }: { name: string; size: boolean },
): Promise<{ type: ObjectType; text: string }> {
  const { containers, images, system } = cli.engine
  if (type === 'context') throw new Error('a context is no object of the engine')
  if (type === 'container') return { type, text: await containers.inspectText(name, { size: size || undefined }) }
  return { type, text: await (type === 'image' ? images.inspectText(name) : system.inspectText(type, name)) }
}
