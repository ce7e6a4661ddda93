/** Under which docker keeps what is for Docker Hub. */
export const hubServer = 'https://index.docker.io/v1/'

/** The host of `https://host/path`: what credentials are kept by, but Hub's. */
export function hostnameOf(server: string): string {
  const bare = server.replace(/^https?:\/\//, '')
  return bare.split('/', 1)[0] ?? ''
}

/** What the credentials for a reference's domain are kept by. */
export const serverOf = (domain: string): string => (domain === 'docker.io' ? hubServer : domain)

/** Whether credentials kept by `key` are those for `server`: earlier clients kept them by URLs. */
export const isSameServer = (key: string, server: string): boolean =>
  key === server || (server !== hubServer && hostnameOf(key) === server)
