import { fromEnvironment, string } from '../flags/flag.ts'

/** `--platform` of the commands that make or fetch for one platform. */
export const platformFlag = fromEnvironment(
  'DOCKER_DEFAULT_PLATFORM',
  string('platform', 'Set platform if server is multi-platform capable'),
)

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

/** Throws an Error in docker's words if the platform is malformed. */
export function checkPlatform(text: string): void {
  if (text === '') return
  const parts = text.split('/')
  if (parts.length <= 3 && parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))) return
  const reason =
    parts.length > 3
      ? 'cannot parse platform specifier'
      : `${JSON.stringify(parts.find((part) => !/^[A-Za-z0-9_.-]+$/.test(part)))} is an invalid component`
  throw new Error(`error parsing specified platform: ${JSON.stringify(text)}: ${reason}: invalid argument`)
}
