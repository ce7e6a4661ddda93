import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'
import { createCompressor, tarEntry, type TarSource, writeTar } from '@berth/archive'
import { Readable } from 'node:stream'
import { atLeast, defineCommand } from '../../command.ts'
import { boolean } from '../../flags/flag.ts'
import { reasonOf } from '../../options/key-values.ts'

export const command = defineCommand({
  usage: '[OPTIONS] PLUGIN PLUGIN-DATA-DIR',
  summary: 'Create a plugin from a rootfs and configuration. The directory must have config.json and rootfs.',
  count: atLeast(2, 2),
  flags: { compress: boolean('compress', 'Compress the context using gzip') },
  async run(cli, { args: [name = '', directory = ''], flags }) {
    requireFile('lstat', resolve(directory))
    requireFile('open', join(directory, 'config.json'))
    requireFile('lstat', join(directory, 'rootfs'))
    const tar = Readable.from(writeTar(members(directory, '')))
    await cli.engine.plugins.create(name, flags.compress ? tar.pipe(createCompressor('gzip')) : tar)
    cli.out(`${name}\n`)
  },
})

/** `call`: what docker fails at. */
function requireFile(call: 'lstat' | 'open', path: string): void {
  try {
    lstatSync(path)
  } catch (error) {
    throw new Error(`${call} ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

/** The files below a directory, parents first. */
function* members(root: string, below: string): Generator<TarSource> {
  for (const file of readdirSync(join(root, below)).toSorted()) {
    const path = below === '' ? file : `${below}/${file}`
    const stats = lstatSync(join(root, path))
    yield member(join(root, path), path, stats)
    if (stats.isDirectory()) yield* members(root, path)
  }
}

function member(source: string, path: string, stats: Stats): TarSource {
  const common = { path, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid }
  if (stats.isDirectory()) return { entry: tarEntry({ ...common, type: 'directory' }) }
  if (stats.isSymbolicLink()) return { entry: tarEntry({ ...common, type: 'symlink', linkPath: readlinkSync(source) }) }
  if (!stats.isFile()) throw new Error(`${source} is neither a file, a directory nor a symbolic link`)
  return { entry: tarEntry({ ...common, sizeBytes: stats.size }), content: createReadStream(source) }
}
