// Writes the WebAssembly modules, whose text is in *.wat beside them, as TypeScript.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import wabt from 'wabt'

/** Paths of the modules' texts, below the repository. */
export const wasmSources = ['packages/services/runtime/src/logs/wasm/json-log.wat']

/** The TypeScript that a module's text is assembled to. */
export async function assemble(source: string): Promise<string> {
  const { parseWat } = await wabt()
  const text = readFileSync(new URL(`../${source}`, import.meta.url), 'utf8')
  const parsed = parseWat(source, text, { simd: true, bulk_memory: true })
  parsed.validate()
  const base64 = Buffer.from(parsed.toBinary({}).buffer).toString('base64')
  const name = source.slice(source.lastIndexOf('/') + 1)
  const lines = base64.match(/.{1,100}/g) ?? []
  return `// Assembled from ${name} by tools/assemble-wasm.ts: do not edit.\nexport const wasm = \`\n${lines.join('\n')}\n\`\n`
}

if (import.meta.filename === process.argv[1])
  for (const source of wasmSources) {
    const target = new URL(`../${source.replace(/\.wat$/, '.ts')}`, import.meta.url)
    writeFileSync(fileURLToPath(target), await assemble(source))
  }
