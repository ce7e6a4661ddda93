const binaryUnits = 'kmgtp'
const sizePattern = /^(\d+(?:\.\d+)*) ?([kKmMgGtTpP])?[iI]?[bB]?$/

/** What is wrong with a size that is none, in the words of Docker's parser. */
export function sizeProblem(text: string): string {
  const [, amount, suffix] = /^([\d. ]*\d)([^\d. ]+)$/.exec(text) ?? []
  return amount === undefined ? `invalid size: '${text}'` : `invalid suffix: '${suffix}'`
}

/** Bytes of a size as Docker's options take it (`10m`, `1.5gb`; 1k is 1024), or undefined. */
export function parseSizeBytes(text: string): number | undefined {
  const match = sizePattern.exec(text)
  const amount = Number(match?.[1])
  if (!match || Number.isNaN(amount)) return undefined
  const exponent = match[2] === undefined ? 0 : binaryUnits.indexOf(match[2].toLowerCase()) + 1
  return Math.floor(amount * 1024 ** exponent)
}
