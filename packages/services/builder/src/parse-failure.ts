import { type BuilderStyle, type Dockerfile, DockerfileError, explainFailure, parseDockerfile } from '@berth/dockerfile'

/** The Dockerfile; what is wrong with it is told as Docker tells it, with the line where it knows that. */
export function parseOrExplain(source: string, style: BuilderStyle): Dockerfile {
  try {
    return parseDockerfile(source)
  } catch (error) {
    throw error instanceof DockerfileError ? explainFailure(error, style) : error
  }
}
