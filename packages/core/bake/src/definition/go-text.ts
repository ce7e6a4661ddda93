/** Go's path.Match for names of targets. Undefined for a pattern that is malformed. */
export function matchPattern(pattern: string, name: string): boolean | undefined {
  const expression = pattern.replaceAll(
    /\\([\s\S])|\[(\^?)((?:\\[\s\S]|[^\]\\])+)\]|([*?])|([\s\S])/g,
    (_, escaped, not, members, wild, plain) => {
      if (escaped !== undefined) return quote(escaped as string)
      if (members !== undefined) return `[${not as string}${(members as string).replaceAll('[', '\\[')}]`
      if (wild !== undefined) return wild === '*' ? '[^/]*' : '[^/]'
      return quote(plain as string)
    },
  )
  if (/(?<!\\)\[(?![^\]]*\])/.test(pattern)) return undefined
  try {
    return new RegExp(`^${expression}$`, 's').test(name)
  } catch {
    return undefined
  }
}

const quote = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
