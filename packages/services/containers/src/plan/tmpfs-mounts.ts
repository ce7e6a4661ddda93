import { invalid } from '@berth/base'
import type { MountSpec } from '@berth/engine-api'

/** The options of a mount of type tmpfs, as tmpfs(5) takes them. Throws `invalid`. */
export function tmpfsMountOptions({ TmpfsOptions: options }: Pick<MountSpec, 'TmpfsOptions'>): string[] {
  if (options === undefined) return []
  const { SizeBytes = 0, Mode = 0, Options } = options
  if (SizeBytes < 0) throw invalid('invalid option: size')
  return [
    ...(Mode === 0 ? [] : [`mode=${(Mode & 0o7777).toString(8)}`]),
    ...(SizeBytes === 0 ? [] : [`size=${SizeBytes}`]),
    ...(Options ?? []).map(flagOf),
  ]
}

function flagOf(option: readonly string[]): string {
  const [name = ''] = option
  if (option.length < 1 || option.length > 2) throw invalid('invalid option array length')
  if (option.length > 1 || (name !== 'exec' && name !== 'noexec')) throw invalid(`invalid option: ${name}`)
  return name
}
