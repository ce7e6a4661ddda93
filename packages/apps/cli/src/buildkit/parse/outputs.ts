import { splitCsv } from '@berth/base'
import type { Output } from '../build-request.ts'
import { parseFields, readBoolean } from './fields.ts'

/** `--output`: `type=...,key=value`, a directory, or `-` for a tar on standard output. */
export function parseOutput(text: string): Output {
  const [first = '', ...more] = splitCsv(text)
  if (more.length === 0 && first === text && !text.startsWith('type=')) {
    return text === '-' ? { type: 'tar', dest: '-', attrs: {} } : { type: 'local', dest: text, attrs: {} }
  }
  const attrs: Record<string, string> = {}
  let [type, dest] = ['', '']
  for (const { key, value } of parseFields(text, (field) => `invalid value ${field}`)) {
    if (key === 'type') type = value
    else if (key === 'dest') dest = value
    else attrs[key] = value
  }
  if (type === '') throw new Error('type is required for output')
  if (type === 'registry') return { type: 'image', dest, attrs: { ...attrs, push: attrs['push'] ?? 'true' } }
  return { type, dest, attrs }
}

/** `--push` and `--load` beside the outputs that are asked for. */
export function withShorthands(
  outputs: readonly Output[],
  { push, load }: { readonly push: boolean; readonly load: boolean },
): Output[] {
  let all = [...outputs]
  if (push) {
    const hasImage = all.some(({ type }) => type === 'image')
    all = all.map((one) => (one.type === 'image' ? { ...one, attrs: { ...one.attrs, push: 'true' } } : one))
    if (!hasImage) all.push({ type: 'image', dest: '', attrs: { push: 'true' } })
  }
  if (load && !all.some(({ type, dest }) => type === 'docker' && dest === '')) {
    all.push({ type: 'docker', dest: '', attrs: {} })
  }
  return all
}

export type OutputKind = 'image' | 'directory' | 'file'

/** Where an output goes: nowhere but the engine, into a directory, or into one file. */
export function kindOf({ type, dest, attrs }: Output): OutputKind {
  const isArchive = type === 'oci' || type === 'docker'
  if (type === 'local' || (isArchive && readBoolean(attrs['tar'] ?? '') === false)) return 'directory'
  if (type === 'docker' && dest === '') return 'image'
  return type === 'tar' || isArchive ? 'file' : 'image'
}
