/** The JSON documents of a stream that holds one a line. */
export async function* readJsonLines<T>(body: AsyncIterable<Buffer>): AsyncGenerator<T, void> {
  for await (const line of readLines(body)) yield JSON.parse(line) as T
}

/** The lines of a stream that are not empty. */
export async function* readLines(body: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let rest: Buffer[] = []
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      rest.push(chunk.subarray(start, end))
      yield* joinLine(rest)
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
  yield* joinLine(rest)
}

function* joinLine(parts: readonly Buffer[]): Generator<string, void> {
  const text = Buffer.concat(parts).toString().trim()
  if (text !== '') yield text
}
