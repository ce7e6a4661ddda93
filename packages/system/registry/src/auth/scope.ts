/** `repository:library/busybox:pull` (https://distribution.github.io/distribution/spec/auth/scope/). */
export const repositoryScope = (path: string, ...actions: readonly ('pull' | 'push' | 'delete')[]): string =>
  `repository:${path}:${actions.join(',')}`

/** Both lists without repetition, in one order, so that equal wishes are written alike. */
export const unitedScopes = (own: readonly string[], challenged: string): readonly string[] =>
  [...new Set([...own, ...challenged.split(' ').filter((scope) => scope !== '' && !covers(own, scope))])].toSorted()

/** Whether `own` asks for at least what `scope` does. */
function covers(own: readonly string[], scope: string): boolean {
  const [name, actions] = split(scope)
  return own.some((mine) => {
    const [itsName, itsActions] = split(mine)
    return name === itsName && actions.every((action) => itsActions.includes(action))
  })
}

function split(scope: string): [string, string[]] {
  const colon = scope.lastIndexOf(':')
  return [scope.slice(0, colon), scope.slice(colon + 1).split(',')]
}
