import { resolve } from 'node:path'

export interface VolumeFlags {
  /** `source:target[:options]`, for HostConfig.Binds. */
  readonly binds: string[]
  /** Anonymous volumes by path. */
  readonly volumes: Record<string, Record<string, never>>
}

/** Sorts `-v` values: with a source they are binds, which the engine judges, else anonymous volumes. */
export function splitVolumes(texts: readonly string[]): VolumeFlags {
  const binds: string[] = []
  const volumes: Record<string, Record<string, never>> = {}
  for (const text of new Set(texts)) {
    if (text === '') throw new Error('invalid empty volume spec')
    const [source = '', ...rest] = text.split(':')
    const begin = [source, ...rest].slice(0, 3)
    if (rest.length > 0 && begin.includes('')) throw new Error(`invalid spec: ${text}: empty section between colons`)
    // A single letter would be a drive to docker: the engine judges that.
    if (rest.length > 2 && source.length > 1) throw new Error(`invalid spec: ${text}: too many colons`)
    if (rest.length === 0) volumes[text] = {}
    else binds.push([source.startsWith('.') ? resolve(source) : source, ...rest].join(':'))
  }
  return { binds, volumes }
}
