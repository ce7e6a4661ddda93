import { invalid } from '@berth/base'
import type { BuildOutcome, NamedContext } from '@berth/builder'
import type { FileSources } from './load-definition.ts'
import { type LazyDirectory, localDirectory, remoteDirectory } from './local-context.ts'

export interface NamedSources {
  readonly files: FileSources
  /** What another build made, by the name of the input. */
  input(name: string): BuildOutcome | undefined
}

/** `--build-context`: https://docs.docker.com/build/concepts/context/#named-contexts, as clients send them. */
export function openNamedContexts(
  named: ReadonlyMap<string, string>,
  sources: NamedSources,
): ReadonlyMap<string, NamedContext> {
  return new Map([...named].map(([name, value]) => [name, openNamedContext(name, value, sources)]))
}

function openNamedContext(name: string, value: string, { files, input }: NamedSources): NamedContext {
  const [, kind = '', rest = ''] = /^([a-z-]+):(.*)$/s.exec(value) ?? []
  switch (kind) {
    case 'docker-image':
      return { kind: 'image', reference: rest.replace(/^\/\//, '') }
    case 'input': {
      const outcome = input(rest)
      if (!outcome) throw invalid(`invalid input ${rest} for context ${name}: it is not of this engine, or is gone`)
      return { kind: 'outcome', outcome }
    }
    case 'local':
      return directoryContext(
        localDirectory(files, {
          name: rest,
          titles: { tree: `[context ${name}] load from client`, ignoreFile: `[context ${name}] load .dockerignore` },
          paths: undefined,
        }),
      )
    case 'oci-layout':
      throw invalid(`context ${name}: OCI layouts are not supported as contexts`)
    default:
      return directoryContext(remoteDirectory(files, value))
  }
}

const directoryContext = (directory: LazyDirectory): NamedContext => ({
  kind: 'directory',
  directory: () => directory(['']),
})
