import { invalid } from '@berth/base'
import { parseHeredoc } from '../lines/heredocs.ts'
import { type InstructionLine, parseJsonForm } from '../lines/parse-lines.ts'
import { readFlags } from './flags.ts'
import { inlineFiles } from './run.ts'
import type { CopyInstruction } from './types.ts'

const common = { text: ['chown', 'chmod'], list: ['exclude'] } as const

/** `COPY [flags] source... destination`. */
export function parseCopy(line: InstructionLine): CopyInstruction {
  const flags = readFlags(line, { ...common, text: [...common.text, 'from'], switch: ['link', 'parents'] })
  return {
    ...pathsOf(line),
    kind: 'copy',
    line,
    from: flags.text('from') ?? '',
    chown: flags.text('chown') ?? '',
    chmod: flags.text('chmod') ?? '',
    isLink: flags.isSet('link'),
    keepsParents: flags.isSet('parents'),
    exclude: flags.list('exclude'),
    keepsGitDirectory: false,
    checksum: '',
    unpacks: false,
  }
}

/** `ADD [flags] source... destination`. */
export function parseAdd(line: InstructionLine): CopyInstruction {
  const switches = ['link', 'keep-git-dir', 'unpack']
  const flags = readFlags(line, { ...common, text: [...common.text, 'checksum'], switch: switches })
  const isUnpackGiven = line.flags.some((flag) => flag.startsWith('--unpack'))
  return {
    ...pathsOf(line),
    kind: 'add',
    line,
    from: '',
    chown: flags.text('chown') ?? '',
    chmod: flags.text('chmod') ?? '',
    isLink: flags.isSet('link'),
    keepsParents: false,
    exclude: flags.list('exclude'),
    keepsGitDirectory: flags.isSet('keep-git-dir'),
    checksum: flags.text('checksum') ?? '',
    unpacks: isUnpackGiven ? flags.isSet('unpack') : undefined,
  }
}

function pathsOf(line: InstructionLine): Pick<CopyInstruction, 'sources' | 'files' | 'destination'> {
  const name = line.name.toUpperCase()
  const words = parseJsonForm(line.rest) ?? line.rest.split(/[\t\v\f\r\n ]+/).filter(Boolean)
  const destination = words.at(-1)
  if (destination === undefined || words.length < 2) {
    throw invalid(
      `${name} requires at least two arguments, but only ${words.length === 1 ? 'one was' : 'none were'} provided. Destination could not be determined`,
    )
  }
  if (parseHeredoc(destination, line.escape)) throw invalid(`${name} cannot accept a heredoc as a destination`)
  const sources = words.slice(0, -1).filter((word) => !parseHeredoc(word, line.escape))
  return { sources, files: inlineFiles(line), destination }
}
