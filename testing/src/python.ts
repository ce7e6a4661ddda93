import { command } from './command.ts'

/** Debian's Python has python3-docker; another one on the PATH may have docker-py from elsewhere. */
export async function pythonWithDocker(): Promise<string> {
  for (const file of ['/usr/bin/python3', 'python3']) {
    if ((await command(file, ['-c', 'import docker'])).code === 0) return file
  }
  throw new Error('no Python with docker-py: install python3-docker')
}
