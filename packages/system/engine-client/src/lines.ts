/** The JSON documents of a stream that holds one a line. */
export async function* readJsonLines<T>(body: AsyncIterable<Buffer>): AsyncGenerator<T, void> {
  let rest: Buffer[] = []
  for await (const chunk of body) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      rest.push(chunk.subarray(start, end))
      yield* parseLine<T>(rest)
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
  }
  yield* parseLine<T>(rest)
}

function* parseLine<T>(parts: readonly Buffer[]): Generator<T, void> {
  const text = Buffer.concat(parts).toString().trim()
  if (text !== '') yield JSON.parse(text) as T
}
