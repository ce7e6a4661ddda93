import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { Cli, command, useEngine } from '@berth/testing'

// --use-api-socket: a container that is given the engine, and what its client is logged in to.
const engine = useEngine()
const cli = new Cli('berth', engine)
const configFile = (): string => join(engine.folder, 'config.json')
const logIn = (): void => writeFileSync(configFile(), JSON.stringify({ auths: { 'r.example': { auth: 'YTpi' } } }))
afterEach(() => rmSync(configFile(), { force: true }))

const script = 'test -S /var/run/docker.sock && echo socket; echo "at $DOCKER_CONFIG"'
const run = (...args: string[]): Promise<string> =>
  cli.ok('run', '--rm', '--use-api-socket', ...args.slice(0, -1), 'busybox', 'sh', '-c', args.at(-1) ?? '')

test('run --use-api-socket mounts the socket of the engine', async () => {
  assert.equal(await run(script), 'socket\nat')
})

test('run --use-api-socket hands over the credentials, for root alone, where the container names no others', async () => {
  logIn()
  const place = '/run/secrets/docker'
  assert.equal(await run(script), `socket\nat ${place}`)
  const [mode, ...config] = (await run(`stat -c %a:%u ${place}/config.json; cat ${place}/config.json`)).split('\n')
  assert.equal(mode, '600:0')
  assert.deepEqual(JSON.parse(config.join('\n')), { auths: { 'r.example': { auth: 'YTpi' } } })
  assert.equal(await run('-e', 'DOCKER_CONFIG=/own', `${script}; ls ${place} 2>/dev/null; true`), 'socket\nat /own')
})

test('create --use-api-socket leaves no container when the credentials cannot be handed over', async () => {
  logIn()
  const message = await cli.fails('create', '--use-api-socket', '--read-only', 'busybox')
  assert.match(message, /^injecting docker config\.json into container failed: /)
  assert.equal(await cli.ok('ps', '-aq'), '')
})

/** The engine, behind somebody who lets nobody remove anything. */
async function guard(path: string): Promise<Server> {
  const socketPath = engine.host.slice('unix://'.length)
  const server = createServer((received, answer) => {
    if (received.method === 'DELETE') return void answer.writeHead(403).end('{"message":"nothing is removed here"}')
    const { method, url, headers } = received
    const asked = request({ socketPath, method, path: url, headers }, (given) => {
      answer.writeHead(given.statusCode ?? 500, given.headers)
      given.pipe(answer)
    })
    received.pipe(asked)
  })
  await once(server.listen(path), 'listening')
  return server
}

test('create --use-api-socket says why credentials cannot be handed over, also when the container stays', async () => {
  logIn()
  const path = join(engine.folder, 'guard.sock')
  const server = await guard(path)
  try {
    const args = ['-H', `unix://${path}`, 'create', '--use-api-socket', '--read-only', '--name', 'stays', 'busybox']
    const { code, stderr } = await command(cli.file, args, { env: cli.env })
    assert.equal(code, 1)
    assert.match(stderr, /injecting docker config\.json into container failed: .*read-only/)
    assert.match(stderr, /; container [0-9a-f]{64} is left: .*nothing is removed here$/m)
    assert.equal(await cli.ok('ps', '-a', '--format', '{{.Names}}'), 'stays')
  } finally {
    server.closeAllConnections()
    server.close()
    await cli.ok('rm', '-f', 'stays')
  }
})
