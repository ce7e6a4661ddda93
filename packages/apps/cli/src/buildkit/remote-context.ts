/** Whether a context is a git repository, or something that is downloaded: the engine fetches it. */
export const isRemote = (text: string): boolean =>
  /^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/.test(text) || /^[^/@]+@[^/:]+:.*\.git/.test(text)
