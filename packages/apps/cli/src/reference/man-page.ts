import type { Flag } from '../flags/flag.ts'
import type { Page } from './pages.ts'

/** The pages for man(1) by the names of their files: that of a command, and one that leads to it for each of its aliases. */
export function manPages(page: Page, version: string): ReadonlyMap<string, string> {
  const name = pageName(page.path)
  const others = page.aliases.map(pageName).filter((alias) => alias !== name)
  return new Map([
    [`${name}.1`, manPage(page, version)],
    ...others.map((alias) => [`${alias}.1`, `.so man1/${name}.1\n`] as const),
  ])
}

const pageName = (path: string): string => ['berth', ...path.split(' ')].filter((word) => word !== '').join('-')

/** One page, in the macros of man(7). */
export function manPage({ path, summary, usage, details, flags, aliases }: Page, version: string): string {
  const name = pageName(path)
  const listed = Object.values(flags).filter(({ hidden }) => hidden !== true)
  const options = listed.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(optionEntry)
  const others = aliases.filter((alias) => alias !== path).map((alias) => `.br\n${bold(`berth ${alias}`)}`)
  return [
    `.TH "${name.toUpperCase()}" "1" "" "Berth ${version}" "Berth"`,
    '.nh',
    `.SH NAME\n${escape(name)} \\- ${escape(summary)}`,
    `.SH SYNOPSIS\n${bold(usage)}`,
    ...(details === '' ? [] : [`.SH DESCRIPTION\n${details.split('\n').map(escape).join('\n.br\n')}`]),
    ...(others.length > 0 ? [`.SH ALIASES\n${others.join('\n').replace('.br\n', '')}`] : []),
    ...(options.length > 0 ? [`.SH OPTIONS\n${options.join('\n')}`] : []),
    `.SH SEE ALSO\n${path === '' ? bold('berth help') : '.BR berth (1)'}`,
    '',
  ].join('\n')
}

function optionEntry({ name, short, placeholder, help }: Flag<unknown>): string {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`].map((one) => `\\fB${escape(one)}\\fR`)
  const value = placeholder === '' ? '' : ` \\fI${escape(placeholder)}\\fR`
  const lines = help.split('\n').map(escape)
  return `.TP\n${names.join(', ')}${value}\n${lines.join('\n.br\n')}`
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`
}

/** What man(7) would take for its own: backslashes, hyphens, and a dot or quote that begins a line. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
