import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { Cli, useEngine } from '@berth/testing'

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
