import { packTar } from '@berth/testing'
import type { Cli } from '@berth/testing'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

/** `path content` of every file below a local directory, links as `path>target`, directories with a slash. */
function treeOf(directory: string, prefix = ''): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const [path, name] = [join(directory, entry.name), `${prefix}${entry.name}`]
      if (entry.isSymbolicLink()) return [`${name}>${readlinkSync(path)}`]
      if (entry.isDirectory()) return [`${name}/`, ...treeOf(path, `${name}/`)]
      return [`${name}=${readFileSync(path, 'utf8').trim()}`]
    })
}

const listTree = `find . -mindepth 1 | sort | while read f; do
  if [ -h "$f" ]; then echo "\${f#./}>$(readlink "$f")"; elif [ -d "$f" ]; then echo "\${f#./}/"; else echo "\${f#./}=$(cat "$f")"; fi; done`

const source = ['d/', 'd/f=file', 'd/l>f', 'd/sub/', 'd/sub/g=deep']

/** What users of `docker cp` rely on, held against one program. */
export function testCopy(cli: Cli): void {
  const { engine } = cli
  let name: string
  let local: string

  before(async () => {
    name = engine.name()
    const setup = `mkdir -p /src/d/sub /src/other; echo file > /src/d/f; ln -s f /src/d/l; echo deep > /src/d/sub/g; echo one > /src/one
      ln -s /src/d /src/to-d; ln -s one /src/to-one; ln -s /dne /src/broken; chown 7:8 /src/one; chmod 640 /src/one; touch /ready; exec sleep 1000`
    await cli.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', setup)
    for (;;) if ((await cli.run(['exec', name, 'ls', '/ready'])).code === 0) break
  })
  after(() => cli.ok('rm', '-f', name))

  const fresh = (): string => (local = mkdtempSync(join(engine.folder, 'cp-')))
  const at = (path: string): string => join(local, path)

  /** A local tree like the container's. */
  function makeLocal(): void {
    fresh()
    mkdirSync(at('d/sub'), { recursive: true })
    writeFileSync(at('d/f'), 'file\n')
    symlinkSync('f', at('d/l'))
    writeFileSync(at('d/sub/g'), 'deep\n')
    writeFileSync(at('one'), 'one\n')
    symlinkSync('d', at('to-d'))
    symlinkSync('one', at('to-one'))
  }

  let targets = 0
  /** An empty directory of the container. */
  async function target(setup = 'true'): Promise<string> {
    const path = `/t${++targets}`
    await cli.ok('exec', name, 'sh', '-c', `mkdir ${path}; cd ${path}; ${setup}`)
    return path
  }
  const inContainer = async (path: string): Promise<string[]> =>
    (await cli.ok('exec', name, 'sh', '-c', `cd ${path}; ${listTree}`)).split('\n').filter(Boolean)

  describe('out of a container', () => {
    const cases: readonly [
      what: string,
      from: string,
      prepare: string,
      to: string,
      wanted: readonly string[] | RegExp,
    ][] = [
      ['a directory into one that is there', '/src/d', 'mkdir x', 'x', ['x/', ...source.map((line) => `x/${line}`)]],
      ['a directory into one, with a slash', '/src/d', 'mkdir x', 'x/', ['x/', ...source.map((line) => `x/${line}`)]],
      ['a directory to a new name', '/src/d', '', 'n', source.map((line) => line.replace(/^d/, 'n'))],
      ['a directory to a new name, with a slash', '/src/d', '', 'n/', source.map((line) => line.replace(/^d/, 'n'))],
      ['what is in a directory', '/src/d/.', 'mkdir x', 'x', ['x/', 'x/f=file', 'x/l>f', 'x/sub/', 'x/sub/g=deep']],
      [
        'what is in a directory to a new name',
        '/src/d/.',
        '',
        'n',
        ['n/', 'n/f=file', 'n/l>f', 'n/sub/', 'n/sub/g=deep'],
      ],
      ['a directory over a file', '/src/d', 'echo old > x', 'x', /cannot copy directory$/],
      ['a directory to where there is none', '/src/d', '', 'no/n', /directory ".*no" does not exist/],
      ['a file into a directory', '/src/one', 'mkdir x', 'x', ['x/', 'x/one=one']],
      ['a file to a new name', '/src/one', '', 'n', ['n=one']],
      ['a file over a file', '/src/one', 'echo old > x', 'x', ['x=one']],
      ['a file to a directory that is not there', '/src/one', '', 'n/', /no such directory/],
      [
        'a file over a directory of its name',
        '/src/one',
        'mkdir -p x/one',
        'x',
        /cannot overwrite directory .* with non-directory/,
      ],
      [
        'a directory over a file of its name',
        '/src/d',
        'mkdir x; echo f > x/d',
        'x',
        /cannot overwrite non-directory .* with directory/,
      ],
      ['a link as a link', '/src/to-one', '', 'n', ['n>one']],
      ['a link to a directory as a link', '/src/to-d', '', 'n', ['n>/src/d']],
      ['a link with a slash: its target', '/src/to-d/', '', 'n', source.map((line) => line.replace(/^d/, 'n'))],
      [
        'a link with a slash into a directory',
        '/src/to-d/',
        'mkdir x',
        'x',
        ['x/', ...source.map((line) => `x/${line.replace(/^d/, 'to-d')}`)],
      ],
      ['a broken link', '/src/broken', '', 'n', ['n>/dne']],
      ['into a link to a directory', '/src/one', 'mkdir x; ln -s x l', 'l', ['l>x', 'x/', 'x/one=one']],
      ['over a link to a file', '/src/one', 'echo old > x; ln -s x l', 'l', ['l>x', 'x=one']],
      ['over a broken link', '/src/one', 'ln -s n l', 'l', ['l>n', 'n=one']],
      ['what is not there', '/src/dne', '', 'n', /Could not find the file \/src\/dne in container/],
    ]
    for (const [what, from, prepare, to, wanted] of cases) {
      test(what, async () => {
        execFileSync('sh', ['-c', prepare], { cwd: fresh() })
        const outcome = cli.run(['cp', `${name}:${from}`, local + (to.startsWith('/') ? to : `/${to}`)])
        const { code, stdout, stderr } = await outcome
        if (wanted instanceof RegExp) {
          assert.notEqual(code, 0)
          assert.match(stderr.trim().replace(/^Error response from daemon: /, ''), wanted)
        } else {
          assert.deepEqual([treeOf(local), code], [wanted, 0], stderr)
          assert.deepEqual([stdout, stderr], ['', ''])
        }
      })
    }

    test('-L follows a link, and the copy takes the link’s name', async () => {
      fresh()
      await cli.ok('cp', '-L', `${name}:/src/to-one`, at('n'))
      mkdirSync(at('x'))
      await cli.ok('cp', '-L', `${name}:/src/to-one`, at('x'))
      await cli.ok('cp', '-L', `${name}:/src/to-d`, at('x'))
      assert.deepEqual(treeOf(local), [
        'n=one',
        'x/',
        ...source.map((line) => `x/${line.replace(/^d/, 'to-d')}`),
        'x/to-one=one',
      ])
    })

    test('mode and time stay; the owner is who copies', async () => {
      fresh()
      await cli.ok('exec', name, 'touch', '-d', '@1000000000', '/src/one')
      await cli.ok('cp', `${name}:/src/one`, at('n'))
      const { mode, uid, gid, mtimeMs } = statSync(at('n'))
      assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o640, 0, 0, 1e12])
    })

    test('- writes the tar to standard output', async () => {
      const listed = execFileSync('tar', ['-tf', '-'], { input: (await raw(['cp', `${name}:/src/d`, '-'])).stdout })
      assert.deepEqual(String(listed).trim().split('\n'), ['d/', 'd/f', 'd/l', 'd/sub/', 'd/sub/g'])
    })

    test('a running tar’s files arrive whole and hard links stay', async () => {
      fresh()
      await cli.ok(
        'exec',
        name,
        'sh',
        '-c',
        'mkdir -p /big; head -c 3000000 /dev/urandom > /big/a; ln -f /big/a /big/b',
      )
      const sum = (await cli.ok('exec', name, 'sha256sum', '/big/a')).slice(0, 64)
      await cli.ok('cp', `${name}:/big`, at('big'))
      assert.equal(String(execFileSync('sha256sum', [at('big/b')])).slice(0, 64), sum)
      assert.equal(statSync(at('big/a')).nlink, 2)
    })
  })

  /** Standard output as bytes. */
  async function raw(args: string[], input?: Buffer): Promise<{ stdout: Buffer }> {
    return {
      stdout: execFileSync(cli.file, args, {
        env: { ...process.env, ...cli.env },
        maxBuffer: 1 << 26,
        ...(input && { input }),
      }),
    }
  }

  describe('into a container', () => {
    const cases: readonly [
      what: string,
      from: string,
      prepare: string,
      to: string,
      wanted: readonly string[] | RegExp,
    ][] = [
      ['a directory into one that is there', 'd', 'mkdir x', 'x', ['x/', ...source.map((line) => `x/${line}`)]],
      ['a directory to a new name', 'd', 'true', 'n', source.map((line) => line.replace(/^d/, 'n'))],
      ['a directory to a new name, with a slash', 'd/', 'true', 'n/', source.map((line) => line.replace(/^d/, 'n'))],
      ['what is in a directory', 'd/.', 'mkdir x', 'x', ['x/', 'x/f=file', 'x/l>f', 'x/sub/', 'x/sub/g=deep']],
      [
        'what is in a directory to a new name',
        'd/.',
        'true',
        'n',
        ['n/', 'n/f=file', 'n/l>f', 'n/sub/', 'n/sub/g=deep'],
      ],
      ['a directory over a file', 'd', 'echo old > x', 'x', /cannot copy directory$/],
      ['a directory to where there is none', 'd', 'true', 'no/n', /Could not find the file \/t\d+\/no in container/],
      ['a file into a directory', 'one', 'mkdir x', 'x', ['x/', 'x/one=one']],
      ['a file to a new name', 'one', 'true', 'n', ['n=one']],
      ['a file over a file', 'one', 'echo old > x', 'x', ['x=one']],
      ['a file to a directory that is not there', 'one', 'true', 'n/', /no such directory$/],
      [
        'a file over a directory of its name',
        'one',
        'mkdir -p x/one',
        'x',
        /cannot overwrite directory .* with non-directory/,
      ],
      [
        'a directory over a file of its name',
        'd',
        'mkdir x; echo f > x/d',
        'x',
        /cannot overwrite non-directory .* with directory/,
      ],
      ['a link as a link', 'to-one', 'true', 'n', ['n>one']],
      [
        'a link to a directory with a slash: its target',
        'to-d/',
        'true',
        'n',
        source.map((line) => line.replace(/^d/, 'n')),
      ],
      ['into a link to a directory', 'one', 'mkdir x; ln -s x l', 'l', ['l>x', 'x/', 'x/one=one']],
      ['over a link to a file', 'one', 'echo old > x; ln -s x l', 'l', ['l>x', 'x=one']],
      ['what is not there', 'dne', 'true', 'n', /^lstat .*dne: no such file or directory$/],
    ]
    for (const [what, from, prepare, to, wanted] of cases) {
      test(what, async () => {
        makeLocal()
        const path = await target(prepare)
        const { code, stdout, stderr } = await cli.run(['cp', `${local}/${from}`, `${name}:${path}/${to}`])
        if (wanted instanceof RegExp) {
          assert.notEqual(code, 0)
          assert.match(stderr.trim().replace(/^Error response from daemon: /, ''), wanted)
        } else {
          assert.deepEqual([await inContainer(path), code], [wanted, 0], stderr)
          assert.deepEqual([stdout, stderr], ['', ''])
        }
      })
    }

    test('-L follows a link, and the copy takes the link’s name', async () => {
      makeLocal()
      const path = await target()
      await cli.ok('cp', '-L', at('to-one'), `${name}:${path}`)
      await cli.ok('cp', '-L', at('to-d'), `${name}:${path}`)
      assert.deepEqual(await inContainer(path), [...source.map((line) => line.replace(/^d/, 'to-d')), 'to-one=one'])
    })

    test('owner, mode and time stay; with -a all is the container’s user’s', async () => {
      makeLocal()
      execFileSync('chown', ['12:34', at('one')])
      chmodSync(at('one'), 0o4751)
      utimesSync(at('one'), 1e9, 1e9)
      linkSync(at('one'), at('d/two'))
      const path = await target()
      await cli.ok('cp', at('one'), `${name}:${path}`)
      const stat = async (container: string, file: string) =>
        cli.ok('exec', container, 'stat', '-c', '%u %g %a %Y', file)
      assert.equal(await stat(name, `${path}/one`), '12 34 4751 1000000000')
      const other = engine.name()
      await cli.ok('run', '-d', '--name', other, '--user', '7:8', 'busybox', 'sleep', '1000')
      await cli.ok('cp', '-a', at('one'), `${other}:/tmp`)
      await cli.ok('cp', at('one'), `${other}:/tmp/b`)
      assert.match(await stat(other, '/tmp/one'), /^7 8 /)
      assert.match(await stat(other, '/tmp/b'), /^12 34 /)
      await cli.ok('rm', '-f', other)
    })

    test('- reads a tar from standard input', async () => {
      const path = await target('mkdir x')
      const tar = packTar([{ path: 'in/f', content: 'streamed' }])
      await raw(['cp', '-', `${name}:${path}/x`], tar)
      assert.deepEqual(await inContainer(path), ['x/', 'x/in/', 'x/in/f=streamed'])
      assert.match(await cli.fails('cp', '-', `${name}:${path}/x/in/f`), /must be a directory/)
    })

    test('a big file that is refused is refused with words', async () => {
      fresh()
      writeFileSync(at('big'), Buffer.alloc(8 << 20, 'x'))
      const other = engine.name()
      await cli.ok('run', '-d', '--read-only', '--name', other, 'busybox', 'sleep', '1000')
      const told = await cli.fails('cp', at('big'), `${other}:/tmp`)
      // docker also tells that its tar was cut short.
      assert.match(told, /^Error response from daemon: container rootfs is marked read-only$/m)
      await cli.ok('rm', '-f', other)
    })

    test('10,000 files go in and come out', async () => {
      fresh()
      for (let i = 0; i < 100; i++) mkdirSync(at(`many/${i}`), { recursive: true })
      for (let i = 0; i < 10_000; i++) writeFileSync(at(`many/${i % 100}/${i}`), String(i))
      const path = await target()
      await cli.ok('cp', at('many'), `${name}:${path}`)
      assert.equal(await cli.ok('exec', name, 'sh', '-c', `find ${path} -type f | wc -l`), '10000')
      await cli.ok('cp', `${name}:${path}/many`, at('back'))
      assert.equal(String(execFileSync('diff', ['-r', at('many'), at('back')])), '')
    })
  })

  test('what makes no sense is refused in docker’s words', async () => {
    fresh()
    assert.match(await cli.fails('cp', `${name}:/a`, `${name}:/b`), /^copying between containers is not supported/)
    assert.match(await cli.fails('cp', 'a', 'b'), /^must specify at least one container source/)
    assert.match(await cli.fails('cp', '', `${name}:/b`), /^source can not be empty/)
    assert.match(await cli.fails('cp', `${name}:/b`, ''), /^destination can not be empty/)
    assert.match(await cli.fails('cp', at('.'), 'dne:/b'), /No such container: dne/)
    assert.match(await cli.fails('cp', `${name}:/src/one`, '/dev/null'), /got a device/)
    assert.match(await cli.fails('cp', at('.'), `${name}:/dev/null/x`), /./)
  })

  test('a terminal sees how much was copied', async () => {
    makeLocal()
    const path = await target()
    const into = await cli.onTerminal(['cp', at('one'), `${name}:${path}`])
    assert.match(into.stdout, new RegExp(`Successfully copied 2.05kB to ${name}:${path}\\r\\n`))
    const out = await cli.onTerminal(['cp', `${name}:/src/one`, at('n')])
    assert.match(out.stdout, new RegExp(`Successfully copied 2.05kB to ${at('n')}\\r\\n`))
    const quiet = await cli.onTerminal(['cp', '-q', `${name}:/src/one`, at('n')])
    assert.equal(quiet.stdout, '')
    assert.ok(existsSync(at('n')) && lstatSync(at('n')).isFile())
  })
}
