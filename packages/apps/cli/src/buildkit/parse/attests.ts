import { parseFields, readBoolean, requireBoolean } from './fields.ts'

export interface AttestFlags {
  readonly attest: readonly string[]
  /** `--provenance` and `--sbom`: a boolean, or attributes. */
  readonly provenance: string
  readonly sbom: string
}

/** Attestations by their types, as the engine takes them; undefined: not wanted. The last of a type counts. */
export function parseAttests({ attest, provenance, sbom }: AttestFlags): Record<string, string | undefined> {
  const texts = [...attest, ...shorthand('provenance', provenance), ...shorthand('sbom', sbom)]
  const found: Record<string, string | undefined> = {}
  for (const text of texts) {
    const { type, value } = parseAttest(text)
    found[type] = value
  }
  return found
}

function shorthand(type: string, text: string): string[] {
  if (text === '') return []
  const wanted = readBoolean(text)
  return [wanted === undefined ? `type=${type},${text}` : `type=${type},disabled=${String(!wanted)}`]
}

function parseAttest(text: string): { readonly type: string; readonly value: string | undefined } {
  if (text === '') throw new Error('EOF')
  const attributes: [string, string][] = []
  let type = ''
  let isDisabled = false
  for (const { key, value } of parseFields(text, (field) => `invalid value ${field}`)) {
    if (key === 'type') type = value
    else if (key === 'disabled') isDisabled = requireBoolean(value, `invalid value ${key}=${value}`)
    else attributes.push([key, value])
  }
  if (type === '') throw new Error('attestation type not specified')
  if (isDisabled) return { type, value: undefined }
  const sorted = attributes.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { type, value: [['type', type], ...sorted].map(([key, value]) => quoted(`${key}=${value}`)).join(',') }
}

const quoted = (field: string): string => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
