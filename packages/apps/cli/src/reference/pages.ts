import type { AnyCommand } from '../command.ts'
import type { FlagSet } from '../flags/flag.ts'
import { globalFlags } from '../global-flags.ts'
import { commandHelp, groupHelp, topHelp } from '../help.ts'
import type { Entry } from '../registry-entry.ts'
import { groups } from '../registry.ts'

/** What there is to say of one command: the source of its reference page and of its man page. */
export interface Page {
  /** `network create`; empty for berth itself. */
  readonly path: string
  readonly summary: string
  readonly help: string
  readonly usage: string
  /** What there is to say beyond the summary; may be empty. */
  readonly details: string
  readonly flags: FlagSet
  readonly aliases: readonly string[]
}

const columns = 79

/** A page for every command and group, but not one more for each alias. */
export async function listPages(): Promise<Page[]> {
  const top = groups.flatMap(({ commands }) => Object.entries(commands))
  const nested = await Promise.all(top.map(([name, entry]) => pagesBelow([name], entry)))
  const root: Page = {
    path: '',
    summary: 'A container platform for Linux',
    help: topHelp(columns),
    usage: 'berth [OPTIONS] COMMAND',
    details: '',
    flags: globalFlags,
    aliases: [],
  }
  return [root, ...nested.flat()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

async function pagesBelow(path: readonly string[], entry: Entry): Promise<Page[]> {
  const { alias, missing, children, load } = entry
  if (alias === true || missing === true) return []
  const name = path.join(' ')
  if (load !== undefined) {
    const { command } = await load()
    const canonical = command.aliases?.[0] ?? name
    return canonical === name ? [commandPage(name, command)] : []
  }
  if (children === undefined) return []
  const below = Object.entries(children).map(([child, inner]) => pagesBelow([...path, child], inner))
  const help = groupHelp(entry, `berth ${name}`)
  const usage = `berth ${name} COMMAND`
  const group = { path: name, summary: entry.summary, help, usage, details: '', flags: {}, aliases: [] }
  return [group, ...(await Promise.all(below)).flat()]
}

function commandPage(path: string, command: AnyCommand): Page {
  const { summary, details = '', flags, aliases = [] } = command
  const help = commandHelp(command, `berth ${path}`, columns)
  return { path, summary, help, usage: `berth ${path} ${command.usage}`.trimEnd(), details, flags, aliases }
}

/** `network-create.md`. */
export function fileName({ path }: Page): string {
  return `${path === '' ? 'berth' : path.replaceAll(' ', '-')}.md`
}

export function markdownPage({ path, help }: Page): string {
  return `# ${`berth ${path}`.trimEnd()}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`
}

export function markdownIndex(pages: readonly Page[]): string {
  const rows = pages.map((page) => `| [${`berth ${page.path}`.trimEnd()}](${fileName(page)}) | ${page.summary} |`)
  const about = 'Written by `npm run cli-docs` from the commands themselves; a test holds them together.'
  return `# Command reference\n\n${about}\n\n| command | what it does |\n| --- | --- |\n${rows.join('\n')}\n`
}
