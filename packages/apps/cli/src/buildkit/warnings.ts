import type { VertexWarning } from '@berth/buildkit-protocol'
import type { Cli } from '../cli.ts'
import { paint } from '../output/color.ts'
import { excerptOf } from './source-excerpt.ts'

/** The block of warnings after a build; `--debug` tells more of each. */
export function warningsBlock(cli: Cli, all: readonly VertexWarning[]): string {
  if (all.length === 0) return ''
  const warnings = [...new Map(all.map((one) => [keyOf(one), one])).values()].toSorted((a, b) => lineOf(a) - lineOf(b))
  const isDebug = cli.globals.debug
  const count = warnings.length === 1 ? '1 warning found' : `${warnings.length} warnings found`
  const hint = isDebug ? '' : ' (use docker --debug to expand)'
  const heading = paint(cli, 2, 'yellow', `${count}${hint}:\n`)
  return `\n ${heading}${warnings.map((one) => warningText(one, isDebug)).join('')}`
}

/** Builds that share a Dockerfile warn of it once. */
const keyOf = (one: VertexWarning): string =>
  `${one.info?.filename ?? ''}:${lineOf(one)} ${Buffer.from(one.short).toString()}`

const lineOf = ({ ranges }: VertexWarning): number => ranges[0]?.start?.line ?? 0

function warningText({ short, detail, url, info, ranges }: VertexWarning, isDebug: boolean): string {
  const head = ` - ${Buffer.from(short).toString()}\n`
  if (!isDebug) return head
  const details = detail.map((text) => `${Buffer.from(text).toString()}\n`).join('')
  const more = url === '' ? '' : `More info: ${url}\n`
  const source = info
    ? excerptOf({
        info: { filename: info.filename, data: Buffer.from(info.data).toString('base64') },
        ranges: ranges.map(({ start, end }) => ({
          start: { line: start?.line ?? 0 },
          end: { line: end?.line ?? 0 },
        })),
      })
    : ''
  return `${head}${details}${more}${source}\n`
}
