import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImageSummary, ManifestSummary } from '@berth/engine-api'
import { treeLines } from './tree.ts'

const id = (digit: string) => `sha256:${digit.repeat(64)}`
const image = (more: Partial<ImageSummary>): ImageSummary => ({
  Containers: 0,
  Created: 0,
  Id: id('a'),
  Labels: null,
  ParentId: '',
  RepoDigests: [],
  RepoTags: [],
  SharedSize: -1,
  Size: 1_984_132,
  ...more,
})
const platform = (architecture: string, more: Partial<ManifestSummary> = {}): ManifestSummary => ({
  ID: id('b'),
  Descriptor: { mediaType: 'x', digest: id('b'), size: 1 },
  Available: true,
  Kind: 'image',
  Size: { Content: 1_000_000, Total: 3_000_000 },
  ImageData: { Platform: { os: 'linux', architecture }, Containers: [], Size: { Unpacked: 2_000_000 } },
  ...more,
})
const plain = { width: 80, isColored: false, showsUntagged: false }
const head = [
  "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.",
  '                                                              Info ->  U In Use ',
  '',
]

test('treeLines() lays images out as docker does', () => {
  const images = [
    image({ RepoTags: ['hello-world:latest'], Size: 464, Created: 1, Id: id('c') }),
    image({ RepoTags: ['busybox:latest'], Containers: 1, Created: 2 }),
    image({ Created: 3 }),
  ]
  const table = [
    'IMAGE                ID             DISK USAGE   CONTENT SIZE   EXTRA',
    'busybox:latest       aaaaaaaaaaaa       1.98MB             0B   U    ',
    'hello-world:latest   cccccccccccc         464B             0B        ',
  ]
  assert.deepEqual(treeLines(images, plain), [...head, ...table])
  const all = treeLines(images, { ...plain, showsUntagged: true })
  assert.equal(all[4], '<untagged>           aaaaaaaaaaaa       1.98MB             0B        ')
})

test('treeLines() shows the platforms of an image below its names', () => {
  const used = {
    Platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
    Containers: ['x'],
    Size: { Unpacked: 2 },
  }
  const manifests = [platform('amd64'), platform('arm', { ImageData: used, ID: id('d') })]
  const images = [image({ RepoTags: ['app:1', 'app:2'], Manifests: manifests })]
  assert.deepEqual(treeLines(images, plain).slice(3), [
    'IMAGE             ID             DISK USAGE   CONTENT SIZE   EXTRA',
    'app:1          ',
    'app:2             aaaaaaaaaaaa       1.98MB            2MB   U    ',
    '├─ linux/amd64    bbbbbbbbbbbb          3MB            1MB        ',
    '└─ linux/arm/v7   dddddddddddd          3MB            1MB   U    ',
    '',
  ])
})

test('treeLines() cuts names and leaves columns out where a terminal is narrow', () => {
  const [title, row] = treeLines([image({ RepoTags: ['hello-world:latest'] })], { ...plain, width: 60 }).slice(3)
  assert.equal(title, 'IMAGE               ID             DISK USAGE   CONTENT SIZE')
  assert.equal(row, 'hello-world:late…   aaaaaaaaaaaa       1.98MB             0B')
})

test('treeLines() paints on a terminal', () => {
  const lines = treeLines([image({ RepoTags: ['a:1'], Containers: 1 })], { ...plain, width: 100, isColored: true })
  assert.equal(
    lines[1],
    `${' '.repeat(79)}\x1b[1m\x1b[106m\x1b[30mi\x1b[0m\x1b[0m \x1b[96mInfo → \x1b[0m\x1b[0m \x1b[38;5;0m\x1b[48;5;14m U \x1b[0m In Use `,
  )
  assert.ok(lines[4]?.startsWith('\x1b[34m\x1b[1ma:1\x1b[0m     \x1b[39maaaaaaaaaaaa\x1b[0m'))
  assert.ok(lines[4]?.endsWith('   \x1b[38;5;0m\x1b[48;5;14m U \x1b[0m  '))
})
