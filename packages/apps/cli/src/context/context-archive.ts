import { readTar, type TarEntry, tarEntry, writeTar } from '@berth/archive'
import { type Context, type TlsFiles } from './context-store.ts'

/** Of a tar archive. */
const blockBytes = 512
/** What an archive may hold: more is nobody's context. */
const maxArchiveBytes = 10 * 1024 * 1024

export interface ArchivedContext {
  readonly context: Context
  readonly tls: TlsFiles
}

/** The tar archive of a context: `meta.json` and `tls/docker/*`. */
export async function packContext({ context, tls }: ArchivedContext): Promise<Buffer> {
  const file = (path: string, text: string, mode: number) => {
    const content = Buffer.from(text)
    return { entry: tarEntry({ path, mode, sizeBytes: content.length }), content }
  }
  const folder = (path: string) => ({ entry: tarEntry({ path, type: 'directory', mode: 0o700 }) })
  const pems = Object.entries(tls).map(([name, text]) => file(`tls/docker/${name}`, text, 0o600))
  const folders = [folder('tls'), ...(pems.length > 0 ? [folder('tls/docker')] : [])]
  return join(writeTar([file('meta.json', JSON.stringify(context), 0o644), ...folders, ...pems]))
}

/** Reads what `packContext` or `docker context export` wrote; throws an Error for anything else. */
export async function unpackContext(source: AsyncIterable<Uint8Array>): Promise<ArchivedContext> {
  let context: Context | undefined
  const tls: Record<string, string> = {}
  for await (const { entry, content } of readTar(limited(source))) {
    if (entry.type === 'directory') continue
    const kind = classify(entry)
    const text = (await join(content())).toString()
    if (kind === 'metadata') context = parseMetadata(text)
    else tls[kind.pem] = text
  }
  if (context === undefined) throw new Error('invalid context: no metadata found')
  return { context, tls }
}

function classify({ path, type }: TarEntry): 'metadata' | { readonly pem: string } {
  if (path === 'meta.json' && type === 'file') return 'metadata'
  const pem = /^tls\/docker\/((?!\.)[\w.-]+)$/.exec(path)?.[1]
  if (pem === undefined || type !== 'file') throw new Error(`unexpected context file: ${path}`)
  return { pem }
}

function parseMetadata(text: string): Context {
  const parsed = JSON.parse(text) as Partial<Context> | null
  if (parsed === null || typeof parsed !== 'object') throw new Error('invalid context: no metadata found')
  return { Name: '', Metadata: parsed.Metadata ?? {}, Endpoints: parsed.Endpoints ?? {} }
}

async function* limited(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const chunk of source) {
    seen += chunk.length
    if (seen > maxArchiveBytes) throw new Error('read exceeds the defined limit')
    yield chunk
  }
  // docker's own archives lack their end.
  yield Buffer.alloc(((-seen % blockBytes) + blockBytes) % blockBytes)
  yield Buffer.alloc(2 * blockBytes)
}

async function join(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(Uint8Array.from(chunk))
  return Buffer.concat(chunks)
}
