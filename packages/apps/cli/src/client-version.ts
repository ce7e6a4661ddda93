/** The version of this client; the release sets it. */
export const clientVersion = '0.1.0'
