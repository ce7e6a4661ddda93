import { formatTimeNs } from '@berth/base'
import type { EntryBoundaries, LogEncoder } from './encoder.ts'
import { escapeJson } from './json-escape.ts'
import type { LinePiece } from './line-cutter.ts'

const head = '{"log":"'
const newlineByte = Buffer.from('\n')

/** Docker's json-file format: a JSON object a line, `{"log":"...\n","stream":"stdout","attrs":{...},"time":"..."}`. */
export function jsonFileEncoder(stream: 'stdout' | 'stderr', attrs?: Readonly<Record<string, string>>): LogEncoder {
  const fields = `"stream":"${stream}",${attrsField(attrs)}"time":"`
  /** Every newline of `parts` ends an entry, and the last byte is one. */
  const entries = (parts: readonly Buffer[], end: string, timeNs: bigint) => {
    const newline = `${end}",${fields}${formatTimeNs(timeNs)}"}\n${head}`
    return escapeJson(parts, { head, newline }).subarray(0, -head.length)
  }
  return {
    boundaries: jsonFileBoundaries,
    lines: (bytes, timeNs) => entries([bytes], '\\n', timeNs),
    piece: (bytes: Buffer, { last }: LinePiece, timeNs) => entries([bytes, newlineByte], last ? '\\n' : '', timeNs),
  }
}

/** Names sorted, as Go writes a map; absent when empty. */
function attrsField(attrs: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(attrs ?? {}).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (entries.length === 0) return ''
  const text = entries.map(([name, value]) => `${jsonString(name)}:${jsonString(value)}`)
  return `"attrs":{${text.join(',')}},`
}

const jsonString = (text: string): string =>
  `"${escapeJson([Buffer.from(text)], { head: '', newline: '\\n' }).toString('latin1')}"`

/** Every entry ends with the only raw newline it has. */
export const jsonFileBoundaries: EntryBoundaries = {
  after(bytes, position) {
    const newline = bytes.indexOf(10, Math.max(position - 1, 0))
    return newline < 0 ? bytes.length : newline + 1
  },
  before(bytes, position) {
    return position === 0 ? 0 : bytes.lastIndexOf(10, position - 1) + 1
  },
  async intact(file, size) {
    const block = Buffer.alloc(64 * 1024)
    for (let end = size; end > 0;) {
      const start = Math.max(0, end - block.length)
      const { bytesRead } = await file.read(block, 0, end - start, start)
      const newline = block.subarray(0, bytesRead).lastIndexOf(10)
      if (newline >= 0) return start + newline + 1
      end = start
    }
    return 0
  },
}
