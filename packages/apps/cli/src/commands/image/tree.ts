import type { ImageSummary, ManifestSummary } from '@berth/engine-api'
import { formatPlatform } from '@berth/oci'
import { shortId } from '../../output/text.ts'
import { humanSize } from '../../output/units.ts'

export interface TreeOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly isColored: boolean
  /** Images without a name too. */
  readonly showsUntagged: boolean
}

interface Row {
  readonly title: string
  readonly titleColor: string
  /** Absent: a further name of the same image, which the next row has the rest of. */
  readonly cells?: Readonly<Record<ColumnName, string>>
  readonly color: string
}

type ColumnName = 'id' | 'diskUsage' | 'contentSize' | 'inUse'

interface Column {
  readonly name: ColumnName
  readonly header: string
  readonly width: number
  readonly isRight: boolean
}

const columns: readonly Column[] = [
  { name: 'id', header: 'ID', width: 12, isRight: false },
  { name: 'diskUsage', header: 'DISK USAGE', width: 10, isRight: true },
  { name: 'contentSize', header: 'CONTENT SIZE', width: 12, isRight: true },
  { name: 'inUse', header: 'EXTRA', width: 5, isRight: false },
]
const spacing = 3
const leastTitleWidth = 12

/** Select Graphic Rendition (ECMA-48, 8.3.117), as docker colours its tree. */
const sgr = {
  plain: '\x1b[39m',
  faint: '\x1b[39m\x1b[2m',
  header: '\x1b[39m\x1b[1m',
  name: '\x1b[34m\x1b[1m',
  untagged: '\x1b[2m',
  warning: '\x1b[93m',
  chip: '\x1b[38;5;0m\x1b[48;5;14m',
} as const
const reset = '\x1b[0m'

const warning = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on."

/** Images, each with its platforms below it, as docker 28's `images --tree` lays them out. */
export function treeLines(images: readonly ImageSummary[], options: TreeOptions): string[] {
  const shown = images.filter((image) => options.showsUntagged || namesOf(image).length > 0)
  const blocks = shown.toSorted((a, b) => b.Created - a.Created).map(rowsOf)
  const isSpaced = blocks.some(({ children }) => children.length > 0)
  const rows = blocks.flatMap(({ rows: own, children }) => [...own, ...children])
  const layout = planLayout(rows, options.width)
  const print = (row: Row) => line(row, layout, options)
  const body = blocks.flatMap(({ rows: own, children }) => [
    ...[...own, ...children].map(print),
    ...(isSpaced ? [''] : []),
  ])
  return [paint(warning, sgr.warning, options), legend(options), '', header(layout, options), ...body]
}

const namesOf = ({ RepoTags: tags }: ImageSummary): string[] => (tags ?? []).filter((tag) => tag !== '<none>:<none>')

function rowsOf(image: ImageSummary): { readonly rows: Row[]; readonly children: Row[] } {
  const platforms = (image.Manifests ?? []).filter(({ Kind: kind }) => kind === 'image')
  const children = platforms.map((platform, i) => childRow(platform, i === platforms.length - 1))
  const isUsed = image.Containers > 0 || platforms.some(isInUse)
  const cells = {
    id: shortId(image.Id),
    diskUsage: humanSize(image.Size, 3),
    contentSize: humanSize(
      platforms.reduce((sum, { Size: size }) => sum + size.Content, 0),
      3,
    ),
    inUse: isUsed ? 'U' : '',
  }
  const names = namesOf(image)
  if (names.length === 0) {
    return { rows: [{ title: '<untagged>', titleColor: sgr.untagged, cells, color: sgr.plain }], children }
  }
  const rows = names.map((title, i): Row => {
    const isLast = i === names.length - 1
    return { title, titleColor: sgr.name, color: sgr.plain, ...(isLast && { cells }) }
  })
  return { rows, children }
}

const isInUse = ({ ImageData: data }: ManifestSummary): boolean => (data?.Containers ?? []).length > 0

function childRow(platform: ManifestSummary, isLast: boolean): Row {
  const name = formatPlatform(platform.ImageData?.Platform ?? { os: 'unknown', architecture: 'unknown' })
  const color = platform.Available ? sgr.plain : sgr.faint
  const cells = {
    id: shortId(platform.ID),
    diskUsage: humanSize(platform.Size.Total, 3),
    contentSize: humanSize(platform.Size.Content, 3),
    inUse: isInUse(platform) ? 'U' : '',
  }
  return { title: `${isLast ? '└─' : '├─'} ${name}`, titleColor: color, cells, color }
}

interface Layout {
  readonly titleWidth: number
  readonly columns: readonly Column[]
}

/** What would leave names too little room is left out; names take no more than they need. */
function planLayout(rows: readonly Row[], width: number): Layout {
  let room = width
  const kept: Column[] = []
  for (const column of columns) {
    if (room - column.width - spacing < leastTitleWidth) break
    room -= column.width + spacing
    kept.push(column)
  }
  const widest = Math.max('IMAGE'.length, ...rows.map(({ title }) => title.length))
  return { titleWidth: Math.min(room, widest), columns: kept }
}

const gap = ' '.repeat(spacing)

function header({ titleWidth, columns: kept }: Layout, options: TreeOptions): string {
  const cells = kept.map(({ header: text, width, isRight }) =>
    aligned(text, { width, isRight, color: sgr.header }, options),
  )
  return [aligned('IMAGE', { width: titleWidth, isRight: false, color: sgr.header }, options), ...cells].join(gap)
}

function line({ title, titleColor, cells, color }: Row, layout: Layout, options: TreeOptions): string {
  const first = aligned(title, { width: layout.titleWidth, isRight: false, color: titleColor }, options)
  if (!cells) return first
  const rest = layout.columns.map(({ name, width, isRight }) => {
    if (name !== 'inUse') return aligned(cells[name], { width, isRight, color }, options)
    const chip = options.isColored && cells.inUse !== '' ? ` ${cells.inUse} ` : cells.inUse
    return aligned(chip, { width, isRight, color: sgr.chip }, options)
  })
  return [first, ...rest].join(gap)
}

function aligned(
  text: string,
  { width, isRight, color }: { readonly width: number; readonly isRight: boolean; readonly color: string },
  options: TreeOptions,
): string {
  const cut = text.length > width ? `${text.slice(0, width - 1)}…` : text
  const fill = ' '.repeat(width - cut.length)
  const painted = cut === '' ? '' : paint(cut, color, options)
  return isRight ? fill + painted : painted + fill
}

const paint = (text: string, color: string, { isColored }: TreeOptions): string =>
  isColored ? color + text + reset : text

/** At the right edge: what the signs mean. */
function legend({ width, isColored }: TreeOptions): string {
  const [columnsTaken, text] = isColored
    ? [21, `\x1b[1m\x1b[106m\x1b[30mi${reset}${reset} \x1b[96mInfo → ${reset}${reset} ${sgr.chip} U ${reset} In Use `]
    : [18, 'Info ->  U In Use ']
  return ' '.repeat(Math.max(0, width - columnsTaken)) + text
}
