/** Docker's progress bar: `[====>      ]  32.77kB/1.997MB`. Sizes are bytes. */
export function progressBar(current: number, total: number): string {
  const filled = total > 0 ? Math.min(50, Math.floor((current / total) * 50)) : 0
  const numbers = `${humanSize(current).padStart(8)}/${humanSize(total)}`
  return `[${'='.repeat(filled)}>${' '.repeat(50 - filled)}] ${numbers}`
}

/** `1.997MB`: four significant digits of a decimal unit, as Go's %.4g writes them. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let size = bytes
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${Number(size.toPrecision(4))}${units[unit]}`
}

/** The stream's message about one layer. */
export function layerProgress(
  status: string,
  id: string,
  current: number,
  total: number,
): Readonly<Record<string, unknown>> {
  return { status, progressDetail: { current, total }, progress: progressBar(current, total), id }
}
