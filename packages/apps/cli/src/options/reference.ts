/** A reference taken apart; throws an Error in docker's words if it is malformed. */
export function splitReference(reference: string): { name: string; tag: string } {
  const match = /^(.+?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}|[a-z0-9+._-]+:[0-9a-fA-F]{32,}))?$/.exec(
    reference,
  )
  const name = match?.[1] ?? ''
  const upper = /[A-Z]/.test(repositoryPath(name))
  if (match !== null && upper) {
    throw new Error(`invalid reference format: repository name (${longName(name)}) must be lowercase`)
  }
  if (match === null || !isName(name)) throw new Error('invalid reference format')
  return { name, tag: match[3] ?? match[2] ?? 'latest' }
}

/** A reference with its default tag, as users write it. */
export function familiarName(reference: string): string {
  const { name } = splitReference(reference)
  return reference === name ? `${name}:latest` : reference
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/

function isName(name: string): boolean {
  const path = repositoryPath(name)
  const domain = name.slice(0, name.length - path.length)
  const host = /^(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)(?::\d+)?\/$/
  return (domain === '' || host.test(domain)) && path.split('/').every((part) => component.test(part))
}

/** The name without its registry's host. */
function repositoryPath(name: string): string {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  return slash > 0 && isHost ? name.slice(slash + 1) : name
}

function longName(name: string): string {
  const path = repositoryPath(name)
  return path === name && !name.includes('/') ? `library/${name}` : path
}
