import { messageOf } from '@berth/base'
import { parsePlatform, type Platform } from '@berth/oci'
import { fromEnvironment, string } from '../flags/flag.ts'

/** `--platform` of the commands that make or fetch for one platform. */
export const platformFlag = fromEnvironment(
  'DOCKER_DEFAULT_PLATFORM',
  string('platform', 'Set platform if server is multi-platform capable'),
)

/**
 * `os[/arch[/variant]]` or an architecture as the API takes it: a JSON object; undefined for none. Docker's commands
 * begin a refusal in their own ways.
 */
export function platformQuery(text: string, refusal = 'invalid platform: '): string | undefined {
  return text === '' ? undefined : JSON.stringify(parseAs(refusal, text))
}

/** Throws an Error in docker's words if the platform is malformed. */
export function checkPlatform(text: string): void {
  if (text !== '') parseAs('error parsing specified platform: ', text)
}

function parseAs(refusal: string, text: string): Platform {
  try {
    return parsePlatform(text)
  } catch (error) {
    throw new Error(`${refusal}${messageOf(error)}`, { cause: error })
  }
}
