import { invalid, messageOf } from '@berth/base'

const isNone = /^(\/.*) is not a directory$/

/** Does `work`; where a directory should be that something else is in the place of, `explain` says so of its path. */
export async function explainingDirectory<T>(work: () => Promise<T>, explain: (path: string) => string): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const [, path] = isNone.exec(messageOf(error)) ?? []
    throw path === undefined ? error : invalid(explain(path), error)
  }
}
