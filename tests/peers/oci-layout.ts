import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Index {
  readonly mediaType: string
  readonly manifests: readonly {
    readonly digest: string
    readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string }
    readonly annotations?: Record<string, string>
  }[]
  readonly annotations?: Record<string, string>
}

export interface Layout {
  readonly index: Index
  readonly root: { readonly digest: string; readonly mediaType: string; readonly annotations?: Record<string, string> }
  document(digest: string): unknown
}

/** An archive of the exporter `oci`, taken apart beside it. */
export function openLayout(folder: string, archive: string): Layout {
  const layout = join(folder, `${archive}.d`)
  mkdirSync(layout)
  execFileSync('tar', ['-xf', join(folder, archive), '-C', layout])
  const json = (path: string): unknown => JSON.parse(readFileSync(join(layout, path), 'utf8'))
  const document = (digest: string) => json(`blobs/${digest.replace(':', '/')}`)
  const [root] = (json('index.json') as { manifests: Layout['root'][] }).manifests
  if (!root) throw new Error('index.json names nothing')
  return { root, index: document(root.digest) as Index, document }
}
