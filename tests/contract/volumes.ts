import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cli } from '@berth/testing'

/** `volume` and what `run` makes of volumes. */
export function testVolumes(cli: Cli): void {
  const { engine } = cli
  const sh = (script: string, ...options: string[]) => cli.ok('run', '--rm', ...options, 'busybox', 'sh', '-c', script)

  test('volume create prints the name, given or not', async () => {
    const name = engine.name()
    assert.equal(await cli.ok('volume', 'create', '--label', 'a=b', '--label', 'c', name), name)
    assert.equal(
      await cli.ok('volume', 'inspect', '-f', '{{json .Labels}} {{.Driver}}', name),
      '{"a":"b","c":""} local',
    )
    const anonymous = await cli.ok('volume', 'create')
    assert.match(anonymous, /^[0-9a-f]{64}$/)
    assert.equal(await cli.ok('volume', 'rm', name, anonymous), `${name}\n${anonymous}`)
  })

  test('volume create refuses what cannot be', async () => {
    const options = ['-o', 'foobar=1', 'x1']
    assert.match(await cli.fails('volume', 'create', ...options), /create x1: invalid option: "foobar"$/)
    assert.match(await cli.fails('volume', 'create', '-d', 'x', 'x1'), /plugin "x" not found$/)
    assert.match(await cli.fails('volume', 'create', 'a', 'b'), /requires at most 1 argument/)
    assert.match(await cli.fails('volume', 'create', '--name', 'a1', 'b1'), /^conflicting options: /)
    assert.match(await cli.fails('volume', 'create', '--label', '', 'x1'), /invalid label '': empty name/)
    assert.match(await cli.fails('volume', 'update', await cli.ok('volume', 'create', 'bt-update')), /can only update/)
    await cli.ok('volume', 'rm', 'bt-update')
  })

  test('volume ls shows tables, templates, JSON and names only', async () => {
    const prefix = engine.name()
    const names = [`${prefix}-10`, `${prefix}-9`]
    for (const name of names) await cli.ok('volume', 'create', '--label', `for=${name}`, name)
    const ls = (...args: string[]) => cli.ok('volume', 'ls', '-f', `name=${prefix}-`, ...args)
    assert.equal(await ls(), `DRIVER    VOLUME NAME\nlocal     ${names[1]}\nlocal     ${names[0]}`)
    assert.equal(await ls('-q'), `${names[1]}\n${names[0]}`)
    assert.equal(
      await ls('--format', '{{.Name}} {{.Label "for"}} {{.Scope}} {{.Size}} {{.Links}} {{.Status}}'),
      [`${names[1]} ${names[1]} local N/A N/A N/A`, `${names[0]} ${names[0]} local N/A N/A N/A`].join('\n'),
    )
    const [line = ''] = (await ls('--format', 'json')).split('\n')
    assert.deepEqual(Object.keys(JSON.parse(line) as object).toSorted(), [
      'Availability',
      'Driver',
      'Group',
      'Labels',
      'Links',
      'Mountpoint',
      'Name',
      'Scope',
      'Size',
      'Status',
    ])
    assert.match(
      await cli.fails('volume', 'ls', '--format', '{{.Foo}}'),
      /can't evaluate field Foo in type \*formatter.volumeContext/,
    )
    assert.equal(await cli.ok('volume', 'ls', '--cluster'), 'VOLUME NAME   GROUP     DRIVER    AVAILABILITY   STATUS')
    await cli.ok('volume', 'rm', ...names)
  })

  test('volume rm removes the others and fails for what is used or absent', async () => {
    const [used, free, holder] = [engine.name(), engine.name(), engine.name()]
    await cli.ok('create', '--name', holder, '-v', `${used}:/x`, 'busybox')
    await cli.ok('volume', 'create', free)
    const result = await cli.run(['volume', 'rm', used, free, 'bt-absent'])
    assert.deepEqual([result.code, result.stdout], [1, `${free}\n`])
    assert.match(
      result.stderr,
      new RegExp(`remove ${used}: volume is in use - \\[[0-9a-f]{64}\\]\n.*get bt-absent: no such volume`),
    )
    assert.equal(await cli.ok('volume', 'rm', '-f', 'bt-absent'), 'bt-absent')
    await cli.ok('rm', '-v', holder)
    await cli.ok('volume', 'rm', used)
  })

  test('volume prune asks first, and says what it will remove', async () => {
    const name = await cli.ok('volume', 'create', '--label', 'pruned')
    const filter = ['--filter', 'label=pruned']
    const asked = await cli.run(['volume', 'prune', ...filter], { input: 'n\n' })
    assert.match(
      asked.stdout,
      /^WARNING! This will remove anonymous local volumes not used by at least one container\.\n/,
    )
    const all = await cli.run(['volume', 'prune', '-a', ...filter], { input: 'n\n' })
    assert.match(all.stdout, /^WARNING! This will remove all local volumes not used by at least one container\.\n/)
    assert.equal(
      await cli.ok('volume', 'prune', '-f', ...filter),
      `Deleted Volumes:\n${name}\n\nTotal reclaimed space: 0B`,
    )
    assert.match(await cli.fails('volume', 'prune', '-a', '--filter', 'all=1'), /^conflicting options: /)
  })

  test('rm keeps anonymous volumes, rm -v and --rm take them, and neither takes named ones', async () => {
    const [name, named] = [engine.name(), engine.name()]
    const anonymousOf = (container: string) =>
      cli.ok('inspect', '-f', '{{range .Mounts}}{{if eq .Destination "/a"}}{{.Name}}{{end}}{{end}}', container)
    await cli.ok('create', '--name', name, '-v', '/a', '-v', `${named}:/n`, 'busybox')
    const kept = await anonymousOf(name)
    await cli.ok('rm', name)
    assert.equal(await cli.ok('volume', 'inspect', '-f', '{{.Name}}', kept), kept)
    await cli.ok('volume', 'rm', kept)
    await cli.ok('create', '--name', name, '-v', '/a', '-v', `${named}:/n`, 'busybox')
    const taken = await anonymousOf(name)
    await cli.ok('rm', '-v', name)
    assert.match(await cli.fails('volume', 'inspect', taken), /no such volume/)
    const brief = await sh('sed -n "s,.*volumes/\\([0-9a-f]*\\)/_data /a .*,\\1,p" /proc/self/mountinfo', '-v', '/a')
    if (brief !== '') assert.match(await cli.fails('volume', 'inspect', brief), /no such volume/)
    await cli.ok('volume', 'rm', named)
  })

  test('--volumes-from shares volumes and binds, read-only when asked', async () => {
    const [name, named] = [engine.name(), engine.name()]
    await cli.ok('create', '--name', name, '-v', `${named}:/n`, '-v', '/a', '-v', `${engine.folder}:/b:ro`, 'busybox')
    const access = 'for d in /n /a /b; do touch $d/x 2>/dev/null && echo $d || echo "$d ro"; done'
    assert.equal(await sh(access, '--volumes-from', name), '/n\n/a\n/b ro')
    assert.equal(await sh(access, '--volumes-from', `${name}:ro`), '/n ro\n/a ro\n/b ro')
    assert.equal(await sh('ls /n /a', '--volumes-from', name, '-v', `/n`), '/a:\nx\n\n/n:\nx')
    assert.match(await cli.fails('create', '--volumes-from', 'bt-absent', 'busybox'), /No such container: bt-absent$/)
    assert.match(await cli.fails('create', '--volumes-from', `${name}:foo`, 'busybox'), /invalid mode: foo$/)
    await cli.ok('rm', '-v', name)
    await cli.ok('volume', 'rm', named)
  })

  test('what has an anonymous volume of another keeps it until the last is removed with -v', async () => {
    const [first, second] = [engine.name(), engine.name()]
    await cli.ok('create', '--name', first, '-v', '/a', 'busybox')
    await cli.ok('create', '--name', second, '--volumes-from', first, 'busybox')
    const volume = await cli.ok('inspect', '-f', '{{(index .Mounts 0).Name}}', first)
    assert.equal(await cli.ok('inspect', '-f', '{{(index .Mounts 0).Name}}', second), volume)
    await cli.ok('rm', '-v', first)
    assert.equal(await cli.ok('volume', 'inspect', '-f', '{{.Name}}', volume), volume)
    await cli.ok('rm', '-v', second)
    assert.match(await cli.fails('volume', 'inspect', volume), /no such volume/)
  })
}
