/** What a reporter of Node's says at the end, in the order in which it does. */
const counted = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const
type Count = (typeof counted)[number]

/** What one process has reported. */
export interface Report {
  readonly counts: ReadonlyMap<Count, number>
  /** All of it that is no count: what every test came to, and then what failed. */
  readonly progress: string
  readonly failures: string
}

const countLine = /^[ℹ#] (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/

/** Undefined where the counts are missing: the process has ended before its time. */
export function parseReport(text: string): Report | undefined {
  const lines = text.split('\n')
  const at = lines.findIndex((line) => countLine.test(line))
  if (at < 0) return undefined
  const matches = lines.flatMap((line) => [countLine.exec(line) ?? []])
  return {
    counts: new Map(matches.flatMap(([, name, value]) => (name ? [[name as Count, Number(value)]] : []))),
    progress: lines.slice(0, at).join('\n'),
    failures: lines
      .slice(at)
      .filter((line) => !countLine.test(line))
      .join('\n')
      .trim(),
  }
}

/** The lines that Node's own reporter ends with, for all the processes together. */
export function summarize(reports: readonly Report[], durationMs: number): string {
  const sum = (name: Count) => reports.reduce((all, { counts }) => all + (counts.get(name) ?? 0), 0)
  return [...counted.map((name) => `ℹ ${name} ${sum(name)}`), `ℹ duration_ms ${Math.round(durationMs)}`].join('\n')
}
