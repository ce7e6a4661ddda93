import assert from 'node:assert/strict'
import { rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'

const { client } = await startBuildx()

const large = 'x'.repeat(100_000)
const dockerfile = 'FROM busybox\nCOPY . /c/\nCMD ["cat", "/c/small"]'

/** Builds, and tells what came of the context: `3B`. */
async function build(folder: string, ...args: string[]): Promise<string> {
  const { stderr } = await client.ok(folder, ['build', '--progress', 'plain', '-t', 'changed', ...args, '.'])
  const [, number] = /#(\d+) \[internal\] load build context/.exec(stderr) ?? []
  return new RegExp(`#${number} transferring context: (\\S+)(?: .*)? done`).exec(stderr)?.[1] ?? stderr
}

const usage = async () => (await client.ok(client.folder, ['buildx', 'du', '--verbose'])).stdout

test('a client sends what has changed since its last build, and nothing else', async () => {
  const folder = client.context({ Dockerfile: dockerfile, large, small: 'one', gone: 'gone', 'd/deep': 'deep' })
  assert.match(await build(folder), /^100\.\d+kB$/)
  writeFileSync(join(folder, 'small'), 'two')
  rmSync(join(folder, 'gone'))
  assert.equal(await build(folder), '3B')
  assert.equal(await client.output('changed'), 'two')
  assert.equal(await client.output('changed', 'sh', '-c', 'cd /c; echo * d/*'), 'Dockerfile d large small d/deep\n')
  // A file takes the place of a directory, a link that of a file; and another time is another file.
  rmSync(join(folder, 'd'), { recursive: true })
  writeFileSync(join(folder, 'd'), 'no directory')
  rmSync(join(folder, 'small'))
  symlinkSync('large', join(folder, 'small'))
  utimesSync(join(folder, 'large'), 1, 1)
  assert.match(await build(folder), /^100\.\d+kB$/)
  assert.equal(
    await client.output('changed', 'sh', '-c', 'cd /c; cat d; readlink small; wc -c < large'),
    'no directorylarge\n100000\n',
  )
})

test('a directory in which nothing has changed is taken as it lies, and one that only lacks something is not', async () => {
  const folder = client.context({ Dockerfile: dockerfile, small: 'one', gone: 'gone', 'd/deep': 'deep' })
  symlinkSync('small', join(folder, 'link'))
  const there = () => client.output('changed', 'sh', '-c', 'cd /c; echo * d/*; cat link')
  await build(folder)
  assert.match(await build(folder), /load build context\n#\d+ transferring context: (?:\S+s )?done/)
  await build(folder, '--no-cache')
  assert.equal(await there(), 'Dockerfile d gone link small d/deep\none')
  rmSync(join(folder, 'gone'))
  await build(folder)
  assert.equal(await there(), 'Dockerfile d link small d/deep\none')
  rmSync(join(folder, 'link'))
  symlinkSync('d/deep', join(folder, 'link'))
  await build(folder)
  assert.equal(await there(), 'Dockerfile d link small d/deep\ndeep')
})

test('a directory that is built after another is not taken for it, though files have the same names', async () => {
  const one = client.context({ Dockerfile: dockerfile, small: 'one' })
  const other = client.context({ Dockerfile: dockerfile, small: 'two' })
  const { mtime } = statSync(join(one, 'small'))
  utimesSync(join(other, 'small'), mtime, mtime)
  await build(one)
  await build(other)
  assert.equal(await client.output('changed'), 'two')
})

test('builds of one directory at once, and one that fails, leave each other alone', async () => {
  const folder = client.context({
    Dockerfile: dockerfile,
    large,
    small: 'one',
    Bad: 'FROM busybox\nCOPY . /\nRUN false',
  })
  const many = await Promise.all([1, 2, 3, 4].map((n) => build(folder, '-t', `at-once-${n}`, '--no-cache')))
  assert.equal(many.length, 4)
  const { code } = await client.run(folder, ['build', '-f', 'Bad', '.'])
  assert.notEqual(code, 0)
  writeFileSync(join(folder, 'small'), 'two')
  assert.equal(await build(folder), '3B')
  assert.equal(await client.output('changed'), 'two')
})

test('what is kept of a client is listed, pruned, and then sent again; the files of images have one name', async () => {
  const folder = client.context({ Dockerfile: dockerfile, large, small: 'one' })
  await build(folder)
  assert.match(await usage(), /Type:\s+source\.local/)
  const links = () => client.output('changed', 'stat', '-c', '%h', '/c/large')
  await until(async () => (await links()) === '1\n', 20_000)
  await client.ok(folder, ['buildx', 'prune', '-af', '--filter', 'type=source.local'])
  assert.doesNotMatch(await usage(), /source\.local/)
  assert.match(await build(folder), /^100\.\d+kB$/)
})
