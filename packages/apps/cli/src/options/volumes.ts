import { resolve } from 'node:path'

export interface VolumeFlags {
  /** `source:target[:options]`, for HostConfig.Binds. */
  readonly binds: string[]
  /** Anonymous volumes by path. */
  readonly volumes: Record<string, Record<string, never>>
}

/** Sorts `-v` values: with a source they are binds, else anonymous volumes. Throws an Error that names a bad one. */
export function splitVolumes(texts: readonly string[]): VolumeFlags {
  const binds: string[] = []
  const volumes: Record<string, Record<string, never>> = {}
  for (const text of new Set(texts)) {
    const parts = text.split(':')
    checkVolume(text, parts)
    const [source = '', ...rest] = parts
    if (rest.length === 0) volumes[text] = {}
    else binds.push([source.startsWith('.') ? resolve(source) : source, ...rest].join(':'))
  }
  return { binds, volumes }
}

function checkVolume(text: string, parts: readonly string[]): void {
  if (text === '') throw new Error('invalid empty volume spec')
  if (parts.slice(0, 2).includes('')) throw new Error(`invalid spec: ${text}: empty section between colons`)
  if (parts.length > 3) throw new Error(`invalid spec: ${text}: too many colons`)
}
