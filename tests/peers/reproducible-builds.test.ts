import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadFixture, startDaemon, type TestDaemon } from '@berth/testing'
import { BuildxClient } from './buildx-client.ts'

// SOURCE_DATE_EPOCH, and outputs as archives, by the real buildx.

let stack: AsyncDisposableStack
let client: BuildxClient

before(async () => {
  stack = new AsyncDisposableStack()
  client = await openClient()
})
after(() => stack?.disposeAsync())

async function openClient(): Promise<BuildxClient> {
  const daemon: TestDaemon = stack.use(await startDaemon())
  await loadFixture(daemon.api, 'busybox')
  return stack.use(new BuildxClient(daemon))
}

const seconds = 1_000_000_000
const epoch = ['--build-arg', `SOURCE_DATE_EPOCH=${seconds}`]

const dockerfile = `FROM busybox
WORKDIR /made
COPY a sub/
RUN mkdir -p /x/y && echo text > /x/y/f && ln /x/y/f /x/hard && ln -s f /x/y/l && rm /etc/group
CMD ["x"]
`

/** A folder whose files are of another time in each. */
function context(by: BuildxClient, mtime: number): string {
  const folder = by.context({ Dockerfile: dockerfile, a: 'a' })
  utimesSync(join(folder, 'a'), mtime, mtime)
  return folder
}

const inspect = async (by: BuildxClient, format: string): Promise<string> =>
  (await by.ok(by.folder, ['inspect', '-f', format, 'it'])).stdout.trim()

test('the image and its history are of SOURCE_DATE_EPOCH, and the base of its own time', async () => {
  await client.ok(context(client, seconds), ['build', '-q', '-t', 'it', ...epoch, '.'])
  assert.equal(await inspect(client, '{{.Created}}'), '2001-09-09T01:46:40Z')
  const { stdout } = await client.ok(client.folder, ['history', '-H=false', '--format', '{{.CreatedAt}}', 'it'])
  const times = stdout.trim().split('\n')
  assert.deepEqual(times.slice(0, -1), Array(4).fill('2001-09-09T01:46:40Z'))
  assert.notEqual(times.at(-1), '2001-09-09T01:46:40Z')
})

test('with rewrite-timestamp the same input has the same digest on another engine, at another time', async () => {
  const output = ['--output', 'type=image,name=it,rewrite-timestamp=true', ...epoch]
  await client.ok(context(client, seconds + 5), ['build', '-q', ...output, '.'])
  const other = await openClient()
  await other.ok(context(other, seconds + 900), ['build', '-q', ...output, '.'])
  const facts = '{{.Id}} {{.RootFS.Layers}}'
  assert.equal(await inspect(other, facts), await inspect(client, facts))
  const listed = await client.output('it', 'stat', '-c', '%n %Y %h', '/x/y/f', '/x/hard', '/made/sub/a')
  assert.equal(listed, `/x/y/f ${seconds} 2\n/x/hard ${seconds} 2\n/made/sub/a ${seconds} 1\n`)
  assert.equal(await client.output('it', 'sh', '-c', 'ls /etc/group 2>/dev/null; readlink /x/y/l'), 'f\n')
})

test('a directory and a tar have all files of SOURCE_DATE_EPOCH', async () => {
  const folder = context(client, seconds + 5)
  await client.ok(folder, ['build', ...epoch, '-o', 'out', '.'])
  for (const name of ['bin', 'made/sub/a', 'x/y/f'])
    assert.equal(statSync(join(folder, 'out', name)).mtimeMs, seconds * 1000)
  await client.ok(folder, ['build', ...epoch, '-o', 'type=tar,dest=out.tar', '.'])
  const listed = execFileSync('tar', ['-tvf', join(folder, 'out.tar'), '--full-time', '--utc'], { encoding: 'utf8' })
  const others = listed.split('\n').filter((line) => line !== '' && !line.includes('2001-09-09 01:46:40'))
  assert.deepEqual(others, [])
})

test('archives: what Docker loads and OCI tools read, and the engine is left as it was', async () => {
  const folder = context(client, seconds)
  await client.ok(folder, ['tag', 'busybox', 'archived:1'])
  // The client shows the names of an image in any order.
  const images = async () => (await client.ok(folder, ['images', '-a', '--no-trunc'])).stdout.split('\n').toSorted()
  const before = await images()
  const outputs = ['-o', 'type=docker,dest=docker.tar', '-o', 'type=oci,dest=oci.tar,tar=true']
  await client.ok(folder, ['build', '--no-cache', '-t', 'archived:1', ...outputs, '.'])
  assert.deepEqual(await images(), before)
  const entry = (archive: string, name: string): unknown =>
    JSON.parse(execFileSync('tar', ['-xOf', join(folder, archive), name], { encoding: 'utf8' }))
  const [image] = entry('docker.tar', 'manifest.json') as { RepoTags: string[] }[]
  assert.deepEqual(image?.RepoTags, ['archived:1'])
  const index = entry('oci.tar', 'index.json') as { manifests: { annotations: Record<string, string> }[] }
  assert.equal(index.manifests[0]?.annotations['org.opencontainers.image.ref.name'], '1')
  await client.ok(folder, ['load', '-i', 'docker.tar'])
  assert.equal((await client.ok(folder, ['run', '--rm', 'archived:1', 'cat', '/x/y/f'])).stdout, 'text\n')
})

test('a malformed time is named', async () => {
  const folder = context(client, seconds)
  const fails = async (args: readonly string[]) => {
    const { code, stderr } = await client.run(folder, ['build', ...args, '.'])
    assert.equal(code, 1)
    return stderr
  }
  assert.match(await fails(['--build-arg', 'SOURCE_DATE_EPOCH=x']), /invalid SOURCE_DATE_EPOCH: "x"/)
})
