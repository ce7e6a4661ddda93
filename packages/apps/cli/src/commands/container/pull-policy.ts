/** Throws an Error if the value of `--pull` is unknown. */
export function checkPullPolicy(policy: string): void {
  if (!['always', 'missing', 'never', ''].includes(policy)) {
    throw new Error(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`)
  }
}
