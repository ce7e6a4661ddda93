/** `os[/arch[/variant]]` as the API takes it: a JSON object; undefined for none. */
export function platformQuery(text: string): string | undefined {
  if (text === '') return undefined
  const [os = '', architecture, variant, ...more] = text.split('/')
  const valid = [os, architecture ?? 'x', variant ?? 'x'].every((part) => /^[A-Za-z0-9_.-]+$/.test(part))
  if (!valid || more.length > 0)
    throw new Error(
      `invalid platform: ${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`,
    )
  return JSON.stringify({ os, architecture: architecture ?? '', ...(variant === undefined ? {} : { variant }) })
}
