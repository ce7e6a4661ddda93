/** How runc ends when the kernel does not take a program; crun ends with 1. */
export const execFailedCode = 255

/** What crun writes to its process's own stderr then: a record, coloured on a terminal; of an exec a line. */
const patterns = [
  // oxlint-disable-next-line no-control-regex -- colours of a terminal
  /^(?:\x1b\[1;31m)?\{"msg":"exec container process `(?<path>[^`"\\]+)`: (?<reason>[^"\\]+)","level":"error"[^}\n]*\}(?:\x1b\[0m)?(?<end>\r?\n)$/,
  /^exec: (?<reason>Exec format error)(?<end>\r?\n)$/,
]

const longest = 4096

/**
 * The first output of a process in runc's words, where that is all that crun says of it; undefined: it is something else.
 * `program` is asked where crun does not name it.
 */
export function explainExecFailure(output: Buffer, program: () => string | undefined): Buffer | undefined {
  if (output.length > longest) return undefined
  const text = output.toString()
  for (const pattern of patterns) {
    const { path: named, reason, end } = pattern.exec(text)?.groups ?? {}
    if (reason === undefined || end === undefined) continue
    const path = named ?? program()
    const subject = path === undefined ? 'exec' : `exec ${path}`
    return Buffer.from(`${subject}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}${end}`)
  }
  return undefined
}
