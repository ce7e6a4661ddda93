import type { Sample } from './cases.ts'

/** Samples per metric, per engine, in the order of the rounds. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Collects the rounds of one engine under their metrics. */
export function addSample(results: Map<string, Map<string, number[]>>, engine: string, sample: Sample): void {
  for (const [metric, value] of Object.entries(sample)) {
    const row = results.get(metric) ?? new Map<string, number[]>()
    results.set(metric, row)
    row.set(engine, [...(row.get(engine) ?? []), value])
  }
}

/** A markdown table of medians, and of the first engine's ratio to each other one; below 1 the first is better. */
export function renderTable(engines: readonly string[], units: ReadonlyMap<string, string>, results: Results): string {
  const [first, ...others] = engines
  const head = ['', 'unit', ...engines, ...others.map((other) => `${first}/${other}`), 'n']
  const rows = [...units]
    .filter(([metric]) => results.has(metric))
    .map(([metric, unit]) => {
      const of = (engine: string): readonly number[] => results.get(metric)?.get(engine) ?? []
      const medians = engines.map((engine) => median(of(engine)))
      const ratios = medians.slice(1).map((other) => format(medians[0]! / other))
      return [metric, unit, ...medians.map(format), ...ratios, String(of(first!).length)]
    })
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i < 2 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

function format(value: number): string {
  if (!Number.isFinite(value)) return '-'
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
