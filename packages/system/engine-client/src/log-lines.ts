import { StringDecoder } from 'node:string_decoder'
import { Demultiplexer } from './frames.ts'
import type { EngineResponse } from './transport.ts'

/** One line of a container's output, without its end. A terminal has one stream for both. */
export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** The lines of a logs response, whichever way it is framed. */
export async function* readLogLines(response: EngineResponse): AsyncGenerator<LogLine, void> {
  const raw = response.headers.get('content-type')?.includes('raw-stream') === true
  const demultiplexer = raw ? undefined : new Demultiplexer()
  const splitters = { stdout: new LineSplitter(), stderr: new LineSplitter() }
  for await (const chunk of response.body) {
    const frames = demultiplexer?.push(chunk) ?? [{ stream: 'stdout' as const, data: chunk }]
    for (const { stream, data } of frames) {
      const name = stream === 'stderr' ? 'stderr' : 'stdout'
      for (const text of splitters[name].push(data)) yield { stream: name, text }
    }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    for (const text of splitters[stream].end()) yield { stream, text }
  }
}

class LineSplitter {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''

  push(data: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(data)).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.map((line) => line.replace(/\r$/, ''))
  }

  end(): string[] {
    const last = this.#rest + this.#decoder.end()
    return last === '' ? [] : [last]
  }
}
