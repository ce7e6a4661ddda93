/** Throws an Error when signatures of Docker's notary are asked for: there is none to ask. */
export function requireNoTrust(isDisabled: boolean): void {
  if (!isDisabled) throw new Error('content trust is not supported: leave --disable-content-trust at true')
}
