/** Where and which: git's own program serves the bare repositories below `root`. */
export interface GitServerOptions {
  readonly address: string
  readonly port: number
  readonly root: string
}

/** Source of a server of git's smart HTTP: https://git-scm.com/docs/git-http-backend, by way of RFC 3875 (CGI). */
export const gitSource = ({ address, port, root }: GitServerOptions): string => `
  const { createServer } = await import('node:http')
  const { spawn } = await import('node:child_process')
  const serve = (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://host')
    const { headers, method } = request
    const child = spawn('git', ['http-backend'], { stdio: ['pipe', 'pipe', 'inherit'], env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: ${JSON.stringify(root)},
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_PROTOCOL: headers['git-protocol'] ?? '',
      REQUEST_METHOD: method,
      PATH_INFO: pathname,
      QUERY_STRING: String(searchParams),
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    } })
    request.pipe(child.stdin)
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.on('close', () => answer(response, Buffer.concat(chunks)))
  }
  const answer = (response, bytes) => {
    const end = bytes.indexOf('\\r\\n\\r\\n')
    const lines = bytes.subarray(0, end).toString().split('\\r\\n').map((line) => line.split(': '))
    const { Status = '200', ...headers } = Object.fromEntries(lines)
    response.writeHead(parseInt(Status), headers).end(bytes.subarray(end + 4))
  }
  createServer(serve).listen(${port}, '${address}', () => console.log('listening'))`
