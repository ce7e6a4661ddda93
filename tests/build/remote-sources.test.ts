import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadFixture, startDaemon, tarEntry, type TestDaemon, writeTar } from '@berth/testing'
import { BuildxClient } from '../peers/buildx-client.ts'
import { ServersInside, serverSource } from '../registry/servers-inside.ts'

const inside = Buffer.from('inside')
const archive = Buffer.concat(
  await Array.fromAsync(writeTar([{ entry: tarEntry({ path: 'in/it', sizeBytes: inside.length }), content: inside }])),
)
const contextFiles = {
  'z.txt': 'z',
  'github.com/org/app/main.go': 'package main',
  'github.com/org/app.git/head': 'x',
  'p\\q.tar': String(archive),
  'p.tar': 'none',
}

let daemon: TestDaemon
let client: BuildxClient
const servers = new ServersInside()
const at = { address: '127.0.0.1', port: 8000 }
const url = `http://${at.address}:${at.port}`
const modified = new Date('2020-01-02T03:04:05Z')

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  client = new BuildxClient(daemon)
  const bytes = `request.url.endsWith('.tar') ? Buffer.from('${archive.toString('base64')}', 'base64') : 'text'`
  const missing = `if (request.url === '/missing') return void response.writeHead(404).end('none')`
  const head = `response.setHeader('Last-Modified', '${modified.toUTCString()}')`
  await servers.start(daemon.sandbox, serverSource(at, `${head}; ${missing}; response.end(${bytes})`))
})
after(async () => {
  client?.[Symbol.dispose]()
  await servers[Symbol.asyncDispose]()
  await daemon?.[Symbol.asyncDispose]()
})

/** Names, kinds, modes and times of what is below the paths, as a RUN sees them. */
async function added(lines: readonly string[], paths: string, buildKit = '1'): Promise<string[]> {
  const look = `RUN find ${paths} | sort | while read -r f; do echo "> $f $(stat -c '%F %a %Y' "$f")"; done`
  const Dockerfile = ['FROM busybox', ...lines, look, ''].join('\n')
  const args = ['build', '--no-cache', ...(buildKit === '1' ? ['--progress', 'plain'] : []), '.']
  const folder = client.context({ Dockerfile, ...contextFiles })
  const { stdout, stderr } = await client.ok(folder, args, { env: { DOCKER_BUILDKIT: buildKit } })
  const seconds = String(modified.getTime() / 1000)
  return [...`${stdout}\n${stderr}`.matchAll(/(?:^|\s)> (\/.+)$/gm)].map(([, line = '']) =>
    line.replace(seconds, 'theirs').replace(/ \d{10}$/, ''),
  )
}

for (const buildKit of ['1', '0']) {
  test(`ADD makes a file of a URL, in a directory where the destination is one (DOCKER_BUILDKIT=${buildKit})`, async () => {
    const lines = [`ADD ${url}/f /a`, `ADD ${url}/f /b/`, `ADD ${url}/f z.txt /d/`, 'WORKDIR /w', `ADD ${url}/f .`]
    assert.deepEqual(await added([...lines, `ADD ${url}/x.tar /t`], '/a /b /d/f /w /t', buildKit), [
      '/a regular file 600 theirs',
      '/b directory 755',
      '/b/f regular file 600 theirs',
      '/d/f regular file 600 theirs',
      '/t regular file 600 theirs',
      '/w directory 755',
      '/w/f regular file 600 theirs',
    ])
  })
}

test('ADD --chmod is of the file that a URL names, and --unpack of the archive', async () => {
  const lines = [
    `ADD --chmod=755 ${url}/f /c`,
    `ADD --unpack ${url}/x.tar /u`,
    `ADD --unpack=true ${url}/f /plain`,
    `ADD --unpack=false ${url}/x.tar /packed/`,
  ]
  assert.deepEqual(await added(lines, '/c /u /plain /packed'), [
    '/c regular file 755 theirs',
    '/packed directory 755',
    '/packed/x.tar regular file 600 theirs',
    '/plain regular file 600 theirs',
    '/u directory 755',
    '/u/in directory 755',
    '/u/in/it regular file 644 0',
  ])
})

for (const buildKit of ['1', '0']) {
  test(`ADD takes names with backslashes, and with wildcards, as they are (DOCKER_BUILDKIT=${buildKit})`, async () => {
    const lines = [`ADD ${url}/a%5Cb ${url}/x%2Ay ${url}/%5Bz%5D /d/`, 'ADD p*.tar /archives/']
    assert.deepEqual(await added([...lines, `ADD ${url}/1%5C.tar /t/`], '/d /archives /t', buildKit), [
      '/archives directory 755',
      '/archives/in directory 755',
      '/archives/in/it regular file 644 0',
      '/archives/p.tar regular file 644',
      '/d directory 755',
      '/d/[z] regular file 600 theirs',
      '/d/a\\b regular file 600 theirs',
      '/d/x*y regular file 600 theirs',
      '/t directory 755',
      '/t/1\\.tar regular file 600 theirs',
    ])
  })
}

test('documents of the Dockerfile have the names that are written, whatever is in them', async () => {
  const lines = ['COPY <<"[z]" <<z /d/', 'one', '[z]', 'two', 'z']
  assert.deepEqual(await added(lines, '/d'), ['/d directory 755', '/d/[z] regular file 644', '/d/z regular file 644'])
})

for (const buildKit of ['1', '0']) {
  test(`COPY and ADD take github.com/ for a directory of the context (DOCKER_BUILDKIT=${buildKit})`, async () => {
    const lines = ['COPY github.com/org/app /go/src/app', 'ADD github.com/org/app.git /git']
    assert.deepEqual(await added(lines, '/go /git', buildKit), [
      '/git directory 755',
      '/git/head regular file 644',
      '/go directory 755',
      '/go/src directory 755',
      '/go/src/app directory 755',
      '/go/src/app/main.go regular file 644',
    ])
  })
}

test('what a URL does not give, or a COPY of one, is told in the words of either builder', async () => {
  const failed = async (line: string, buildKit: string): Promise<string> => {
    const folder = client.context({ Dockerfile: `FROM busybox\n${line}\n` })
    const { code, stderr } = await client.run(folder, ['build', '.'], { env: { DOCKER_BUILDKIT: buildKit } })
    assert.equal(code, 1)
    return stderr.trim().split('\n').at(-1) ?? ''
  }
  const cases: readonly [line: string, buildkit: RegExp, classic: RegExp][] = [
    [`COPY ${url}/f /f`, /solve: source can't be a URL for COPY$/, /^COPY failed: source can't be a URL for COPY$/],
    [
      `ADD ${url}/missing /f`,
      /load cache key: invalid response status 404$/,
      /^ADD failed: failed to GET \S+ with status 404 Not Found: none$/,
    ],
    [
      'COPY https://github.com/a/b.git /f',
      /solve: source can't be a git ref for COPY$/,
      /^COPY failed: source can't be a URL for COPY$/,
    ],
    ['COPY git@github.com:a/b.git /f', /solve: source can't be a git ref for COPY$/, /file does not exist$/],
    ['ADD github.com/org/absent /f', /"\/github.com\/org\/absent": not found$/, /file does not exist$/],
    ['ADD --checksum=x Dockerfile /f', /solve: checksum requires HTTP\(S\) or Git sources$/, /^checksum requires HTTP/],
    [`ADD --checksum=x ${url}/f ${url}/g /f/`, /checksum can't be specified for multiple/, /^checksum can't be/],
    ['ADD http://127.0.0.1:1/f /f', /failed to load cache key: Get ".*refused$/, /^ADD failed: Get ".*refused$/],
    [`ADD --checksum=md5:0 ${url}/f /f`, /solve: unsupported digest algorithm$/, /unsupported digest algorithm$/],
  ]
  for (const [line, buildkit, classic] of cases) {
    assert.match(await failed(line, '1'), buildkit)
    assert.match(await failed(line, '0'), classic)
  }
})
