import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import Docker from 'dockerode'
import {
  Cli,
  command,
  imageRegistries,
  type ImageRegistry,
  pythonWithDocker,
  type StoredImage,
  useEngine,
  fixtureImage,
} from '@berth/testing'

const [username, password] = ['me', 'secret']

/** Other people's clients push and pull with the engine, through the registry of this name in `imageRegistries`. */
export function clientTests(program: keyof typeof imageRegistries): void {
  let registry: ImageRegistry
  after(() => registry?.[Symbol.asyncDispose]())
  const engine = useEngine()
  const cli = new Cli('docker', engine)

  // made late: the sandbox is there when the engine runs
  beforeEach(async () => {
    registry ??= await imageRegistries[program]!(engine.daemon!.sandbox, { users: { [username]: password } })
  })

  const idOf = (name: string) => cli.ok('image', 'inspect', '-f', '{{.Id}}', name)
  const config = (path: string) =>
    (JSON.parse(registry.manifest(path, '1').bytes.toString()) as { config: { digest: string } }).config.digest

  test('dockerode pushes and pulls, and hears what is wrong', async () => {
    const docker = new Docker({ socketPath: engine.host.replace('unix://', '') })
    const name = `${registry.host}/dockerode/app:1`
    const id = await idOf('busybox')
    const follow = async (stream: NodeJS.ReadableStream) => {
      const { promise, resolve, reject } = Promise.withResolvers<readonly { status?: string; error?: string }[]>()
      docker.modem.followProgress(stream, (error, said) => (error ? reject(error) : resolve(said)))
      return (await promise).map(({ status, error }) => error ?? status ?? '')
    }
    await docker.getImage('busybox').tag({ repo: `${registry.host}/dockerode/app`, tag: '1' })
    const wrong = await docker.getImage(name).push({ authconfig: { username, password: 'x' } })
    assert.match((await follow(wrong)).at(-1) ?? '', /^unauthorized: /)
    const pushed = await follow(await docker.getImage(name).push({ authconfig: { username, password } }))
    assert.ok(pushed.some((status) => status.startsWith('1: digest: sha256:')))
    assert.equal(config('dockerode/app'), id)
    await docker.getImage(name).remove()
    const pulled = await follow(await docker.pull(name, { authconfig: { username, password } }))
    assert.equal(pulled.at(-1), `Status: Downloaded newer image for ${name}`)
    assert.equal(await idOf(name), id)
  })

  test('docker-py pushes and pulls, and hears what is wrong', async () => {
    const script = `
import docker, sys
client, name = docker.from_env(), sys.argv[1]
auth = {"username": "${username}", "password": "${password}"}
image = client.images.get("busybox")
image.tag(name, "1")
refused = client.images.push(name, tag="1", stream=True, decode=True, auth_config={"username": "${username}", "password": "x"})
assert any("error" in line for line in refused)
said = list(client.images.push(name, tag="1", stream=True, decode=True, auth_config=auth))
assert not any("error" in line for line in said), said
digest = next(line["aux"]["Digest"] for line in said if "aux" in line)
client.images.remove(f"{name}:1")
pulled = client.images.pull(name, tag="1", auth_config=auth)
assert pulled.id == image.id and f"{name}@{digest}" in pulled.attrs["RepoDigests"], pulled.attrs
try:
    client.images.pull(name, tag="none", auth_config=auth)
except docker.errors.NotFound as error:
    print("not found")
assert client.images.get_registry_data(f"{name}:1", auth_config=auth).id == digest
`
    const argv = ['-B', '-W', 'ignore', '-c', script, `${registry.host}/dockerpy/app`]
    const env = { DOCKER_HOST: engine.host, DOCKER_CONFIG: engine.folder }
    const { code, stdout, stderr } = await command(await pythonWithDocker(), argv, { env, timeoutMs: 60_000 })
    assert.deepEqual([code, stdout], [0, 'not found\n'], stderr)
    assert.equal(config('dockerpy/app'), await idOf('busybox'))
  })

  test('skopeo reads what the engine pushed, and the engine what skopeo copied, to the byte', async () => {
    const creds = `${username}:${password}`
    const skopeo = async (...args: string[]) => {
      const { file, args: argv, env } = engine.daemon!.sandbox.enter(['skopeo', ...args])
      const { code, stdout, stderr } = await command(file, argv, { env: env as Record<string, string> })
      assert.equal(code, 0, stderr)
      return stdout
    }
    const stored: StoredImage = await registry.add('skopeo/source', {
      ...(await fixtureImage('busybox')),
      reference: 'x:1',
    })
    const [from, to] = [`docker://${registry.host}/skopeo/source:1`, `docker://${registry.host}/skopeo/copy:1`]
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds', creds, '--dest-creds', creds]
    await skopeo('copy', '--preserve-digests', ...insecure, from, to)
    const auth = Buffer.from(JSON.stringify({ username, password })).toString('base64url')
    const headers = { 'X-Registry-Auth': auth }
    const query = `fromImage=${registry.host}/skopeo/copy&tag=1`
    const pulled = await engine.api.request('POST', `/images/create?${query}`, undefined, { headers })
    assert.match(pulled.text, new RegExp(`Digest: ${stored.digest}`))
    await cli.ok('tag', 'busybox', `${registry.host}/skopeo/pushed:1`)
    await engine.api.request('POST', `/images/${registry.host}/skopeo/pushed/push?tag=1`, undefined, { headers })
    const raw = await skopeo(
      'inspect',
      '--raw',
      '--tls-verify=false',
      '--creds',
      creds,
      `docker://${registry.host}/skopeo/pushed:1`,
    )
    assert.equal(raw, registry.manifest('skopeo/pushed', '1').bytes.toString())
    const folder = `${engine.folder}/${program.replaceAll(' ', '-')}`
    await skopeo(
      'copy',
      '--src-tls-verify=false',
      '--src-creds',
      creds,
      `docker://${registry.host}/skopeo/pushed:1`,
      `dir:${folder}`,
    )
  })
}
