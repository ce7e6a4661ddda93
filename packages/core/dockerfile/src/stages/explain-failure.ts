import { DockerfileError } from '../dockerfile-error.ts'
import type { BuilderStyle } from './parse-dockerfile.ts'

/** What Docker's line parser refuses, before it knows the instructions. */
const ofLines =
  /^(?:file with no instructions|unterminated heredoc|invalid escape token|only one \w+ parser|\w+ must have two arguments|Syntax error - can't find =|when using JSON array syntax)/

/** What is told without a place. */
const plain = 'no build stage in current context'

/** An error of `parseDockerfile()` as Docker's builders tell it, with the line where they know that. */
export function explainFailure(error: DockerfileError, style: BuilderStyle): DockerfileError {
  const { message, lines } = error
  if (message === plain) return error
  const isOfLines = ofLines.test(message)
  if (isOfLines && style === 'buildkit') return error
  const told = isOfLines ? 'failed to parse Dockerfile' : `dockerfile parse error on line ${lines.start}`
  return new DockerfileError(`${told}: ${message}`, lines, error)
}
