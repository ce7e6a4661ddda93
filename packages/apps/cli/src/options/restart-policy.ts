import type { RestartPolicy } from '@berth/engine-api'

/** `on-failure:3`; the engine judges the name. Throws an Error in docker's words. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [name = '', count, ...more] = text.split(':')
  if (count !== undefined && name === '') {
    throw new Error('invalid restart policy format: no policy provided before colon')
  }
  if (more.length > 0 || (count !== undefined && count !== '' && !/^[+-]?\d+$/.test(count))) {
    throw new Error('invalid restart policy format: maximum retry count must be an integer')
  }
  return { Name: name as RestartPolicy['Name'], MaximumRetryCount: Number(count ?? 0) }
}
