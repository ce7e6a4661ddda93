import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Cli, packTar, until } from '@berth/testing'

export function testImages(cli: Cli): void {
  const { engine } = cli
  const at = (name: string): string => join(engine.folder, name)
  const inspect = (ref: string, format: string) => cli.ok('image', 'inspect', '-f', format, ref)

  test('a loaded image runs: hello-world', async () => {
    assert.match(await cli.ok('run', '--rm', 'hello-world'), /^Hello from Berth!\n/)
  })

  test('images lists names, tags, short ids and sizes', async () => {
    assert.match(
      await cli.ok('images', 'busybox'),
      /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbusybox +latest +[0-9a-f]{12} .*MB$/,
    )
    const id = await inspect('busybox', '{{.Id}}')
    assert.equal(await cli.ok('images', '-q', '--no-trunc', 'busybox:latest'), id)
    assert.equal(await inspect(id.slice(7, 19), '{{.Id}}'), id)
  })

  test('a missing image is named as such', async () => {
    assert.match(await cli.fails('image', 'inspect', 'absent:x'), /No such image: absent:x/i)
    assert.match(await cli.fails('rmi', 'absent:x'), /No such image: absent:x/i)
  })

  test('tag adds a name; rmi takes it away, and the image with the last one', async () => {
    const [one, two] = [`${engine.name()}:1`, `${engine.name()}:2`]
    await cli.ok('tag', 'hello-world', one)
    await cli.ok('tag', one, two)
    assert.match(await cli.ok('rmi', one), new RegExp(`^Untagged: ${one}$`))
    assert.equal(await inspect(two, '{{.Id}}'), await inspect('hello-world', '{{.Id}}'))
    await cli.ok('rmi', two)
    assert.match(await cli.fails('tag', 'hello-world', 'Upper/Case'), /invalid reference format|must be lowercase/)
  })

  test('rmi refuses an image that a container uses', async () => {
    const [name, image] = [engine.name(), `${engine.name()}:1`]
    writeFileSync(at('one.tar'), packTar([{ path: 'file', content: name }]))
    await cli.ok('import', at('one.tar'), image)
    await cli.ok('create', '--name', name, image, '/bin/true')
    assert.match(
      await cli.fails('rmi', image),
      /conflict: unable to remove repository reference .* \(must force\) - container [0-9a-f]{12} is using its referenced image/,
    )
    await cli.ok('rm', name)
    assert.match(await cli.ok('rmi', image), /Deleted: sha256:/)
  })

  test('commit makes an image of a container’s changes', async () => {
    const [name, image] = [engine.name(), `${engine.name()}:c`]
    await cli.ok('run', '--name', name, 'busybox', 'sh', '-c', 'echo made > /made; rm /etc/group; ln /made /linked')
    const changes = ['-c', 'ENV PATH=/x:$PATH', '-c', 'CMD ["cat", "/made"]', '-c', 'LABEL a="b c"']
    assert.match(await cli.ok('commit', '-a', 'me', '-m', 'why', ...changes, name, image), /^sha256:[0-9a-f]{64}$/)
    assert.equal(await cli.ok('run', '--rm', image), 'made')
    assert.equal(
      await cli.ok('run', '--rm', image, 'sh', '-c', 'ls /etc; stat -c %h /linked'),
      'passwd\n2'.replace('passwd', await etcWithoutGroup()),
    )
    assert.match(
      await inspect(image, '{{.Config.Env}} {{.Comment}} {{.Author}} {{.Config.Labels.a}}'),
      /^\[PATH=\/x:\/usr.*\] why me b c$/,
    )
    assert.match(await cli.ok('history', '--format', '{{.Comment}}', image), /^why/)
    await cli.ok('rm', name)
    await cli.ok('rmi', image)
  })

  const etcWithoutGroup = async (): Promise<string> => {
    const list = await cli.ok('run', '--rm', 'busybox', 'sh', '-c', 'rm /etc/group; ls /etc')
    return list
  }

  test('save and load give the same image back, whichever way it is compressed', async () => {
    const image = `${engine.name()}:s`
    writeFileSync(
      at('save.tar'),
      packTar([
        { path: 'dir/', mode: 0o1750, uid: 7 },
        { path: 'dir/file', content: 'kept', mode: 0o640 },
      ]),
    )
    await cli.ok('import', '-c', 'ENV KEPT=1', at('save.tar'), image)
    const id = await inspect(image, '{{.Id}} {{.RootFS.Layers}}')
    await cli.ok('save', '-o', at('image.tar'), image)
    await cli.ok('rmi', image)
    assert.match(await cli.ok('load', '-i', at('image.tar')), new RegExp(`Loaded image: ${image}`))
    assert.equal(await inspect(image, '{{.Id}} {{.RootFS.Layers}}'), id)
    await cli.ok('rmi', image)
  })

  test('load names what is wrong with an archive', async () => {
    writeFileSync(at('garbage'), 'this is no archive '.repeat(100))
    assert.match(await cli.fails('load', '-i', at('garbage')), /./)
    assert.equal(await cli.ok('run', '--rm', 'busybox', 'echo', 'still here'), 'still here')
  })

  test('export and import carry a container’s files over', async () => {
    const [name, image] = [engine.name(), `${engine.name()}:i`]
    await cli.ok('run', '--name', name, 'busybox', 'sh', '-c', 'echo exported > /exported; chown 33 /exported')
    await cli.ok('export', '-o', at('export.tar'), name)
    await cli.ok('import', '-m', 'brought in', '-c', 'CMD stat -c %u /exported', at('export.tar'), image)
    assert.equal(await cli.ok('run', '--rm', image), '33')
    assert.equal(await inspect(image, '{{.Comment}}'), 'brought in')
    await cli.ok('rm', name)
    await cli.ok('rmi', image)
  })

  test('import takes what is behind a URL', async () => {
    const [server, image] = [engine.name(), `${engine.name()}:i`]
    writeFileSync(at('remote.tar'), packTar([{ path: 'brought', content: 'from afar' }]))
    const serve = ['httpd', '-f', '-p', '127.0.0.1:18931', '-h', '/www']
    await cli.ok('run', '-d', '--name', server, '--network', 'host', '-v', `${at('')}:/www:ro`, 'busybox', ...serve)
    const url = 'http://127.0.0.1:18931/remote.tar'
    await until(async () => (await cli.run(['import', url, image])).code === 0)
    assert.equal(await inspect(image, '{{.Comment}}'), `Imported from ${url}`)
    const id = await cli.ok('create', image, '/none')
    await cli.ok('cp', `${id}:/brought`, at('brought'))
    assert.equal(readFileSync(at('brought'), 'utf8'), 'from afar')
    assert.match(await cli.fails('import', `${url}.gone`, image), /failed to GET \S+ with status 404/)
    await cli.ok('rm', '-f', server, id)
    await cli.ok('rmi', image)
  })

  test('system: version, info and df answer with both sides', async () => {
    assert.match(
      await cli.ok('version', '--format', '{{.Client.APIVersion}} {{.Server.APIVersion}}'),
      /^1\.\d+ 1\.\d+$/,
    )
    assert.match(await cli.ok('info', '--format', '{{.Driver}} {{.OSType}} {{.Images}}'), /^overlay\w* linux \d+$/)
    assert.match(await cli.ok('system', 'df'), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages /)
  })
}
