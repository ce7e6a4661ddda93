import { type BuilderStyle, type Dockerfile, DockerfileError, explainFailure, parseDockerfile } from '@berth/dockerfile'

let last: { readonly source: string; readonly dockerfile: Dockerfile } | undefined

/** The Dockerfile; what is wrong with it is told as Docker tells it, with the line where it knows that. */
export function parseOrExplain(source: string, style: BuilderStyle): Dockerfile {
  // One build asks several times.
  if (last?.source === source) return last.dockerfile
  try {
    const dockerfile = parseDockerfile(source)
    last = { source, dockerfile }
    return dockerfile
  } catch (error) {
    throw error instanceof DockerfileError ? explainFailure(error, style) : error
  }
}
