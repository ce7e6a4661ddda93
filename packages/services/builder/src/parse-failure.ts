import { type Dockerfile, DockerfileError, parseDockerfile } from '@berth/dockerfile'

/** What Docker's line parser refuses, before it knows the instructions. */
const ofLines =
  /^(?:file with no instructions|unterminated heredoc|invalid escape token|only one \w+ parser|\w+ must have two arguments|Syntax error - can't find =|when using JSON array syntax)/

/** What is told without a place. */
const plain = 'no build stage in current context'

/** The Dockerfile; what is wrong with it is told as Docker tells it, with the line where it knows that. */
export function parseOrExplain(source: string): Dockerfile {
  try {
    return parseDockerfile(source)
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error
    const { message, lines } = error
    if (message === plain) throw error
    const told = ofLines.test(message)
      ? `failed to parse Dockerfile: ${message}`
      : `dockerfile parse error on line ${lines.start}: ${message}`
    throw new DockerfileError(told, lines, error)
  }
}
