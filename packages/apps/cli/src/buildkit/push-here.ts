import type { TypedAttributes } from '@berth/buildkit-client'
import { parseReference } from '@berth/oci'
import type { Cli } from '../cli.ts'
import { registryAuthHeader } from '../credentials/registry-auth.ts'
import { printProgress } from '../output/progress.ts'

/** Pushing by the Engine API, where the engine's BuildKit does not push by itself. */
export interface PushPlan {
  /** What the engine is asked for, without pushing. */
  readonly exporters: readonly TypedAttributes[]
  push(): Promise<void>
}

/** Undefined when nothing is to be pushed. */
export function pushHere(cli: Cli, exporters: readonly TypedAttributes[]): PushPlan | undefined {
  const isPushed = ({ type, attrs }: TypedAttributes): boolean => type === 'moby' && attrs['push'] === 'true'
  const names = exporters.filter(isPushed).flatMap(({ attrs }) => (attrs['name'] ?? '').split(','))
  if (names.length === 0) return undefined
  return {
    exporters: exporters.map((one) => {
      const { push: _, ...attrs } = one.attrs
      return isPushed(one) ? { type: one.type, attrs } : one
    }),
    push: async () => {
      for (const name of names) await pushOne(cli, name)
    },
  }
}

async function pushOne(cli: Cli, name: string): Promise<void> {
  const { domain, tag = 'latest' } = parseReference(name)
  const auth = await registryAuthHeader(cli, domain)
  const bare = name.replace(/:[^/:]*$/, '')
  await printProgress(cli, cli.engine.images.push(bare, { tag, ...(auth !== undefined && { auth }) }), 'stderr')
}
