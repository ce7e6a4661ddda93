// The real docker compose, through the life of a project.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadFixture, startDaemon, type TestDaemon } from '@berth/testing'
import { BuildxClient } from './buildx-client.ts'

let daemon: TestDaemon
let client: BuildxClient
let folder: string

const project = `name: shop
services:
  db:
    image: busybox
    stop_grace_period: 1s
    command: ["sh", "-c", "echo db starting; touch /data/ready; exec sleep 1000"]
    volumes: ["data:/data", "./conf:/etc/conf:ro"]
    environment: { PASSWORD: "\${PASSWORD:-first}" }
    healthcheck: { test: ["CMD", "test", "-f", "/data/ready"], interval: 300ms, timeout: 5s, retries: 9 }
    networks: { back: { aliases: [database], ipv4_address: 10.77.1.10 } }
    mem_limit: 64m
    ulimits: { nofile: { soft: 1000, hard: 2000 } }
  migrate:
    image: busybox
    command: ["sh", "-c", "ping -c 1 database > /dev/null && echo migrated"]
    depends_on: { db: { condition: service_started } }
    networks: [back]
  web:
    image: busybox
    init: true
    command: ["sh", "-c", "echo hello from $$HOSTNAME > /tmp/index.html; exec httpd -f -p 80 -h /tmp"]
    hostname: webhost
    stop_grace_period: 1s
    depends_on: { db: { condition: service_healthy }, migrate: { condition: service_completed_successfully } }
    ports: ["127.0.0.1:18080:80", "9999/udp"]
    networks: [front, back]
    restart: unless-stopped
    secrets: [token]
    configs: [{ source: site, target: /site.cfg }]
    extra_hosts: ["legacy:10.0.0.9"]
  worker:
    image: busybox
    stop_grace_period: 0s
    command: ["sh", "-c", "echo tick; exec sleep 1000"]
    deploy: { replicas: 2 }
    networks: [back]
  debug:
    image: busybox
    profiles: [debug]
    stop_grace_period: 0s
    command: sleep 1000
    network_mode: service:web
volumes: { data: {} }
networks: { front: {}, back: { internal: true, ipam: { config: [{ subnet: 10.77.1.0/24 }] } } }
secrets: { token: { file: ./token } }
configs: { site: { content: "site=shop" } }
`

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  client = new BuildxClient(daemon)
  folder = client.context({ 'compose.yaml': project, token: 'secret token', 'conf/a': 'a' })
})
after(async () => {
  client?.[Symbol.dispose]()
  await daemon?.[Symbol.asyncDispose]()
})

const compose = (...args: string[]) => client.run(folder, ['compose', '--ansi', 'never', ...args])

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await compose(...args)
  assert.equal(code, 0, `compose ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout.trimEnd()
}

const inside = (service: string, ...args: string[]) => ok('exec', '-T', service, ...args)
const states = (...services: string[]) => ok('ps', '-a', '--format', '{{.Name}} {{.State}}', ...services)
const ofProject = async (...args: string[]) =>
  (await client.ok(folder, [...args, '-q', '--filter', 'label=com.docker.compose.project=shop'])).stdout

test('up waits for what services depend on: health, an end, a start', async () => {
  await ok('up', '-d', '--wait', 'web', 'worker')
  assert.deepEqual((await states()).split('\n').toSorted(), [
    'shop-db-1 running',
    'shop-migrate-1 exited',
    'shop-web-1 running',
    'shop-worker-1 running',
    'shop-worker-2 running',
  ])
  assert.equal(await ok('ps', '--format', '{{.Health}}', 'db'), 'healthy')
  assert.equal(await ok('logs', '--no-log-prefix', 'migrate'), 'migrated')
  assert.equal(await ok('logs', '--no-log-prefix', 'worker'), 'tick\ntick')
})

test('services find each other, their files, limits and published ports', async () => {
  assert.equal(await inside('web', 'wget', '-qO-', 'http://webhost/index.html'), 'hello from webhost')
  assert.match(await inside('web', 'nslookup', 'database'), /Address: 10\.77\.1\.10/)
  assert.equal(await inside('web', 'cat', '/run/secrets/token', '/site.cfg'), 'secret tokensite=shop')
  assert.match(await inside('web', 'cat', '/etc/hosts'), /10\.0\.0\.9\tlegacy/)
  assert.equal(await inside('db', 'sh', '-c', 'ulimit -n; ls /etc/conf'), '1000\na')
  assert.match((await compose('exec', '-T', 'db', 'touch', '/etc/conf/b')).stderr, /Read-only file system/)
  assert.equal(await ok('port', 'web', '80'), '127.0.0.1:18080')
  assert.match(await ok('port', '--protocol', 'udp', 'web', '9999'), /^0\.0\.0\.0:\d+$/)
  const fetched = ['run', '--rm', '--network', 'host', 'busybox', 'wget', '-qO-', 'http://127.0.0.1:18080/index.html']
  assert.equal((await client.ok(folder, fetched)).stdout, 'hello from webhost\n')
})

test('exec, run and cp work on services', async () => {
  assert.equal(
    await ok('exec', '-T', '-e', 'A=b', '-w', '/tmp', '-u', '1000', 'web', 'sh', '-c', 'echo $A $PWD $(id -u)'),
    'b /tmp 1000',
  )
  assert.notEqual(
    await ok('exec', '-T', '--index', '1', 'worker', 'hostname'),
    await ok('exec', '-T', '--index', '2', 'worker', 'hostname'),
  )
  assert.equal(await ok('run', '--rm', '-T', '-e', 'X=1', 'worker', 'sh', '-c', 'echo ran $X'), 'ran 1')
  assert.equal((await compose('run', '--rm', '-T', 'worker', 'sh', '-c', 'exit 7')).code, 7)
  await ok('cp', './token', 'db:/data/copied')
  assert.equal(await inside('db', 'cat', '/data/copied'), 'secret token')
  assert.match(await ok('top', 'db'), /sleep 1000/)
})

test('scale, pause, restart, stop, kill and start do what they say', async () => {
  await ok('up', '-d', '--no-recreate', '--scale', 'worker=4', 'worker')
  assert.equal((await states('worker')).split('\n').length, 4)
  await ok('scale', 'worker=1')
  assert.equal(await states('worker'), 'shop-worker-1 running')
  await ok('pause', 'worker')
  assert.equal(await states('worker'), 'shop-worker-1 paused')
  await ok('unpause', 'worker')
  await ok('kill', '-s', 'KILL', 'worker')
  assert.equal(await ok('ps', '-a', '--format', '{{.State}} {{.ExitCode}}', 'worker'), 'exited 137')
  await ok('start', 'worker')
  await ok('restart', '-t', '1', 'web')
  assert.equal(await inside('web', 'cat', '/tmp/index.html'), 'hello from webhost')
  await ok('stop', 'worker')
  assert.equal(await states('worker'), 'shop-worker-1 exited')
})

test('a profile joins the network of a service', async () => {
  await ok('--profile', 'debug', 'up', '-d', 'debug')
  assert.equal(await ok('exec', '-T', 'debug', 'wget', '-qO-', 'http://127.0.0.1/index.html'), 'hello from webhost')
  await ok('rm', '-f', '-s', 'debug')
})

test('a changed service is made anew, with its volume; the others stay', async () => {
  const before = await ofProject('ps')
  const { stdout } = await client.ok(folder, ['compose', 'up', '-d', '--no-deps', 'db'], {
    env: { PASSWORD: 'second' },
  })
  assert.equal(stdout, '')
  assert.equal(await inside('db', 'sh', '-c', 'echo $PASSWORD; cat /data/copied'), 'second\nsecret token')
  const changed = (await ofProject('ps')).split('\n').filter((id) => !before.includes(id))
  assert.equal(changed.length, 1)
})

test('up in the foreground ends with a service, and has its exit code', async () => {
  const own = client.context({
    'compose.yaml': `services:
  short: { image: busybox, command: ["sh", "-c", "echo one; exit 3"] }
  long: { image: busybox, command: sleep 1000, stop_grace_period: 0s }
`,
  })
  const result = await client.run(own, ['compose', '-p', 'short', 'up', '--exit-code-from', 'short'])
  assert.equal(result.code, 3, result.stderr)
  assert.match(result.stdout, /short-1 +\| one/)
  await client.ok(own, ['compose', '-p', 'short', 'down'])
})

test('down leaves the volume, and with -v nothing', async () => {
  await ok('down', '--remove-orphans', '-t', '1')
  assert.deepEqual([await ofProject('ps', '-a'), await ofProject('network', 'ls')], ['', ''])
  assert.equal(await ofProject('volume', 'ls'), 'shop_data\n')
  await ok('down', '-v')
  assert.equal(await ofProject('volume', 'ls'), '')
})
