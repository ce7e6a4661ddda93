import { invalid } from '@berth/base'

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
// What a file name may have: a longer one could not be made.
const longestName = 255

/** Throws `invalid` in Docker's words for what cannot name a volume. */
export function requireVolumeName(name: string): void {
  if (name.length < 2) throw invalid('volume name is too short, names should be at least two alphanumeric characters')
  if (!validName.test(name)) {
    throw invalid(
      `${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    )
  }
  if (name.length > longestName) throw invalid(`volume name is longer than ${longestName} characters`)
}
