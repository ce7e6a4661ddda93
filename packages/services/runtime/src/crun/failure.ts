import { type EngineError, internal, invalid } from '@berth/base'

/** Puts what an OCI runtime said of a failed start into the words that Docker's clients match on. */
export function startError(runtimeName: string, text: string, executable: string): EngineError {
  const reason = describe(text, executable, `${unable}: error during container init`)
  const prefix = `failed to create task for container: failed to create shim task: OCI runtime create failed: ${runtimeName} create failed`
  return classify(`${prefix}: ${reason}`)
}

/** The same for an exec. */
export function execError(text: string, executable: string): EngineError {
  return classify(`OCI runtime exec failed: exec failed: ${describe(text, executable, unable)}`)
}

/**
 * The exit code that Docker records for a process that could not be started: 127 for a missing executable (or any missing
 * file), 126 for one that may not be executed, else 128.
 */
export function startFailureExitCode(message: string): 126 | 127 | 128 {
  if (/executable file not found|no such file or directory|not a directory/i.test(message)) return 127
  return /permission denied|is a directory/i.test(message) ? 126 : 128
}

/** What the user's command, mounts or paths caused is invalid; the rest is the machine's. */
const classify = (message: string): EngineError =>
  startFailureExitCode(message) === 128 ? internal(message) : invalid(message)

// The only label that a spec of ours asks the kernel for.
const unconfined = 'unable to apply apparmor profile: apparmor failed to apply profile'

const unable = 'unable to start container process'

/** crun's sentences become runc's, whose wording is Docker's; runc's are kept without its prefix. */
function describe(text: string, executable: string, opening: string): string {
  const subject = `exec: ${JSON.stringify(executable)}`
  // Of a command that is empty crun tries the folders of the PATH themselves.
  const isMissing = /^executable file .* not found in \$PATH/.test(text)
  if (isMissing || (executable === '' && deniedPattern.test(text))) {
    const reason = executable.includes('/')
      ? `stat ${executable}: no such file or directory`
      : 'executable file not found in $PATH'
    return `${opening}: ${subject}: ${reason}`
  }
  if (deniedPattern.test(text)) {
    return `${opening}: ${subject}: permission denied`
  }
  if (/^open executable: Not a directory$/.test(text)) {
    return `${opening}: ${subject}: stat ${executable}: not a directory: ${notFileHint}`
  }
  const chdir = /^chdir `(.*)`: (.*)$/.exec(text)
  if (chdir)
    return `${opening}: chdir to cwd (${JSON.stringify(chdir[1])}) set in config.json failed: ${lower(chdir[2]!)}`
  const confining = /^write file `(\/proc\/.*\/attr\/.*)`: (.*)$/.exec(text)
  if (confining) return `${opening}: ${unconfined}: write ${confining[1]}: ${lower(confining[2]!)}`
  const plain = text.replace(/^(runc (run|create) failed|exec failed): /, '')
  return lower(plain)
}

const deniedPattern = /^(open|exec) .*(Operation not permitted|Permission denied)$/

const notFileHint =
  'Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'

/** Clients look for Go's spelling. */
const lower = (text: string): string =>
  errnoTexts.reduce((result, errno) => result.replaceAll(errno, errno.toLowerCase()), text)

const errnoTexts = ['No such file or directory', 'Permission denied', 'Not a directory', 'Is a directory']
