import { DockerfileError } from '../dockerfile-error.ts'

/** What Docker's line parser refuses, before it knows the instructions. */
const ofLines =
  /^(?:file with no instructions|unterminated heredoc|invalid escape token|only one \w+ parser|\w+ must have two arguments|Syntax error - can't find =|when using JSON array syntax)/

/** What is told without a place. */
const plain = 'no build stage in current context'

/** An error of `parseDockerfile()` as Docker tells it, with the line where it knows that. */
export function explainFailure(error: DockerfileError): DockerfileError {
  const { message, lines } = error
  if (message === plain) return error
  const told = ofLines.test(message)
    ? `failed to parse Dockerfile: ${message}`
    : `dockerfile parse error on line ${lines.start}: ${message}`
  return new DockerfileError(told, lines, error)
}
