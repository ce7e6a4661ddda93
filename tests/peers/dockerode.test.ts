import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { beforeEach, test } from 'node:test'
import { until, useEngine } from '@berth/testing'
import Docker from 'dockerode'

const engine = useEngine()
let docker: Docker // made late: the engine's address is known when it runs
beforeEach(() => {
  docker ??= new Docker({ socketPath: engine.host.replace('unix://', '') })
})

const create = (script: string, options: object = {}) =>
  docker.createContainer({ name: engine.name(), Image: 'busybox', Cmd: ['sh', '-c', script], ...options })

async function demux(stream: Readable): Promise<{ out: string; err: string }> {
  const sinks = [new PassThrough(), new PassThrough()] as const
  const read = Promise.all(sinks.map((sink) => text(sink)))
  docker.modem.demuxStream(stream, ...sinks)
  stream.on('end', () => sinks.forEach((sink) => sink.end()))
  const [out, err] = await read
  return { out: out!, err: err! }
}

test('dockerode run() streams both outputs and gives the exit code', async () => {
  const outputs = [new PassThrough(), new PassThrough()] as const
  const read = Promise.all(outputs.map((output) => text(output)))
  const command = ['sh', '-c', 'echo out; echo err >&2; exit 5']
  const options = { name: engine.name(), Tty: false }
  const [result, container] = await docker.run('busybox', command, [...outputs], options)
  outputs.forEach((output) => output.end())
  assert.deepEqual([result.StatusCode, ...(await read)], [5, 'out\n', 'err\n'])
  await container.remove()
})

test('dockerode attach() before start carries input, output and the end of both', async () => {
  const options = { OpenStdin: true, StdinOnce: true, AttachStdin: true }
  const container = await create('cat; echo done >&2', options)
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true })
  const output = demux(stream)
  await container.start()
  stream.write('through the hijack\n')
  stream.end()
  assert.deepEqual(await output, { out: 'through the hijack\n', err: 'done\n' })
  assert.equal((await container.wait()).StatusCode, 0)
  await container.remove()
})

test('dockerode attach() to a terminal is raw, and resizes', async () => {
  const container = await create('read x; stty size; read y', { Tty: true, OpenStdin: true })
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true })
  let seen = ''
  stream.on('data', (chunk: Buffer) => (seen += chunk.toString()))
  await container.start()
  await container.resize({ h: 42, w: 120 })
  stream.write('\n')
  await until(() => seen.includes('42 120\r\n'))
  await container.remove({ force: true })
})

test('dockerode exec() hijacks, half-closes its input and reports the exit code', async () => {
  const container = await create('sleep 1000')
  await container.start()
  const exec = await container.exec({
    Cmd: ['sh', '-c', 'wc -c; exit 6'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  })
  const stream = await exec.start({ hijack: true, stdin: true })
  const output = demux(stream)
  stream.end('12345')
  assert.equal((await output).out.trim(), '5')
  assert.deepEqual((await exec.inspect()).ExitCode, 6)
  await container.remove({ force: true })
})

test('dockerode logs() gives a buffer, or follows', async () => {
  const container = await create('echo one; sleep 0.3; echo two')
  await container.start()
  const followed = demux(await container.logs({ follow: true, stdout: true, stderr: true }))
  assert.equal((await followed).out, 'one\ntwo\n')
  assert.equal((await container.logs({ stdout: true, tail: 1 })).subarray(8).toString(), 'two\n')
  await container.remove()
})

test('dockerode stats() and top() describe a running container', async () => {
  const container = await create('sleep 1000')
  await container.start()
  assert.match((await container.stats({ stream: false })).name, /^\/bt-/)
  const stream = await container.stats({ stream: true })
  const [first] = (await once(stream, 'data')) as [Buffer]
  assert.ok(JSON.parse(first.toString()))
  stream.destroy()
  assert.equal((await container.top()).Processes.length, 1)
  await container.remove({ force: true })
})

test('dockerode walks a container through its life', async () => {
  const container = await create('sleep 1000')
  await container.start()
  await assert.rejects(container.start(), { statusCode: 304 })
  await container.pause()
  assert.equal((await container.inspect()).State.Status, 'paused')
  await container.unpause()
  await container.update({ Memory: 64 << 20, MemorySwap: 64 << 20 })
  assert.equal((await container.inspect()).HostConfig.Memory, 64 << 20)
  await assert.rejects(container.remove(), { statusCode: 409 })
  const ended = container.wait({ condition: 'next-exit' })
  await container.kill({ signal: 'KILL' })
  assert.equal((await ended).StatusCode, 137)
  await assert.rejects(container.stop(), { statusCode: 304 })
  await container.remove()
  await assert.rejects(container.inspect(), { statusCode: 404 })
})

test('dockerode getEvents() hears of a start as it happens', async () => {
  const container = await create('true')
  const stream = await docker.getEvents({ filters: JSON.stringify({ container: [container.id], event: ['start'] }) })
  const heard = once(stream, 'data')
  await container.start()
  const [line] = (await heard) as [Buffer]
  assert.equal(JSON.parse(line.toString()).Action, 'start')
  stream.destroy()
  await container.wait()
  await container.remove()
})

test('dockerode changes(), commit(), export() and save carry the files', async () => {
  const container = await create('touch /made')
  await container.start()
  await container.wait()
  assert.deepEqual(await container.changes(), [{ Path: '/made', Kind: 1 }])
  const { Id } = await container.commit({ repo: engine.name(), tag: 'x', changes: 'ENV A=1' })
  assert.ok((await buffer(await container.export())).includes('made'))
  const archive = await buffer(await docker.getImage(Id).get())
  await docker.getImage(Id).remove({ force: true })
  const progress = await text(await docker.loadImage(Readable.from([archive])))
  assert.match(progress, /Loaded image/)
  await docker.getImage(Id).remove({ force: true })
  await container.remove()
})

test('dockerode makes, lists, uses, prunes and removes volumes', async () => {
  const Name = engine.name()
  const made = await docker.createVolume({ Name, Labels: { made: Name } })
  const volume = docker.getVolume(Name)
  const description = await volume.inspect()
  assert.equal(made.Name ?? made.name, Name)
  const filters = JSON.stringify({ label: [`made=${Name}`] })
  assert.deepEqual((await docker.listVolumes({ filters })).Volumes, [description])
  const discard = new Writable({ write: (_chunk, _encoding, done) => done() })
  const HostConfig = { AutoRemove: true, Mounts: [{ Type: 'volume', Source: Name, Target: '/x' }] }
  const [{ StatusCode }] = await docker.run('busybox', ['touch', '/x/f'], [discard, discard], {
    Tty: false,
    HostConfig,
  })
  assert.equal(StatusCode, 0)
  const holder = await docker.createContainer({ Image: 'busybox', HostConfig: { Binds: [`${Name}:/x`] } })
  await assert.rejects(volume.remove(), { statusCode: 409 })
  await holder.remove()
  assert.deepEqual((await docker.pruneVolumes({ filters })).VolumesDeleted ?? [], [])
  await volume.remove()
  await assert.rejects(volume.inspect(), { statusCode: 404 })
})

test('dockerode hears the engine’s words when it errs', async () => {
  const missing = docker.createContainer({ Image: 'absent:x' })
  await assert.rejects(missing, /No such image: absent:x/)
  await assert.rejects(docker.getContainer('nobody').inspect(), /No such container: nobody/)
  const discard = new Writable({ write: (_chunk, _encoding, done) => done() })
  await assert.rejects(
    docker.run('busybox', ['no-such-command'], [discard, discard], { name: engine.name(), Tty: false }),
    /not found/,
  )
})
