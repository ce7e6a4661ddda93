import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TarEntry } from './entry.ts'
import { checksum } from './header-fields.ts'
import { formatPaxRecord } from './pax.ts'
import { encodeHeader } from './tar-format.ts'
import { defaultTarLimits, type TarLimits, TarParser } from './tar-parser.ts'
import { tarEntry } from './write-tar.ts'

interface Parsed {
  readonly entry: TarEntry
  readonly data: (readonly [offset: number, text: string])[]
}

function parse(archive: Buffer, options: { chunkBytes?: number; limits?: Partial<TarLimits> } = {}): Parsed[] {
  const members: Parsed[] = []
  const handler = {
    entry: (entry: TarEntry) => void members.push({ entry, data: [] }),
    data: (bytes: Buffer, offset: number) => void members.at(-1)?.data.push([offset, bytes.toString()]),
    end: () => {},
  }
  const parser = new TarParser(handler, { ...defaultTarLimits, ...options.limits })
  const step = options.chunkBytes ?? archive.length
  for (let at = 0; at < archive.length; at += step) parser.write(archive.subarray(at, at + step))
  parser.finish()
  return members
}

const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
const end = Buffer.alloc(1024)

/** A header block with fields laid over it at byte offsets and a fresh checksum. */
function header(fields: Partial<TarEntry> & { path: string }, overlays: Record<number, string | Buffer> = {}): Buffer {
  const block = encodeHeader(tarEntry(fields)).subarray(-512)
  for (const [at, value] of Object.entries(overlays)) Buffer.from(value).copy(block, Number(at))
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

const flag = 156
const member = (typeFlag: string, body: string | Buffer, name = 'meta'): Buffer =>
  Buffer.concat([
    header({ path: name, sizeBytes: Buffer.byteLength(body) }, { [flag]: typeFlag }),
    pad(Buffer.from(body)),
  ])
const pax = (records: readonly (readonly [string, string | Buffer])[], typeFlag = 'x'): Buffer =>
  member(typeFlag, Buffer.concat(records.map(([key, value]) => formatPaxRecord(key, Buffer.from(value)))))
const file = (path: string, content = ''): Buffer => member('0', content, path)

const paths = (archive: Buffer): string[] => parse(archive).map(({ entry }) => entry.path)

test('TarParser reads a member split over chunks of any size', () => {
  const archive = Buffer.concat([file('a', 'content of a'), file('b'), end])
  for (const chunkBytes of [1, 7, 511, 512, 513, 4096]) {
    const [a, b] = parse(archive, { chunkBytes })
    assert.equal(a?.data.map(([, text]) => text).join(''), 'content of a')
    assert.deepEqual([b?.entry.path, b?.entry.type, b?.data], ['b', 'file', []])
  }
})

test('TarParser reads v7 headers, whose directories end with a slash', () => {
  const v7 = { 257: Buffer.alloc(8) }
  const [directory, link] = parse(
    Buffer.concat([
      header({ path: 'dir/' }, { ...v7, [flag]: '\0' }),
      header({ path: 'l', linkPath: 'dir' }, { ...v7, [flag]: '1' }),
      end,
    ]),
  )
  assert.equal(directory?.entry.type, 'directory')
  assert.deepEqual([link?.entry.type, link?.entry.linkPath], ['hardlink', 'dir'])
})

test('TarParser joins the ustar prefix but not the one GNU tar keeps times in', () => {
  assert.deepEqual(paths(Buffer.concat([header({ path: 'name' }, { 345: 'the/prefix' }), end])), ['the/prefix/name'])
  assert.deepEqual(paths(Buffer.concat([header({ path: 'name' }, { 257: 'ustar  \0', 345: '00001' }), end])), ['name'])
})

test('TarParser reads GNU long names and links', () => {
  const long = 'd/'.repeat(80) + 'name'
  const archive = [
    member('L', `${long}\0`),
    member('K', `${long}-target\0`),
    header({ path: 'short', type: 'symlink', linkPath: 's' }),
    file('next'),
    end,
  ]
  const [first, next] = parse(Buffer.concat(archive))
  assert.deepEqual([first?.entry.path, first?.entry.linkPath], [long, `${long}-target`])
  assert.equal(next?.entry.path, 'next')
})

test('TarParser reads base-256 numbers and refuses those out of range', () => {
  const big = Buffer.alloc(12)
  big[0] = 0x80
  big.writeBigUInt64BE(9_000_000_000n, 4)
  const negative = Buffer.alloc(12, 0xff)
  const [entry] = parse(
    Buffer.concat([header({ path: 'f' }, { 108: '\x80\0\0\0'.replace('\x80', '0'), 136: negative }), end]),
  )
  assert.deepEqual(entry?.entry.mtime, { seconds: -1, nanoseconds: 0 })
  assert.throws(() => parse(Buffer.concat([header({ path: 'f' }, { 124: big }), end])), {
    message: /entry "f" .*unexpected EOF/,
  })
  const huge = Buffer.alloc(12, 0x7f)
  huge[0] = 0x80
  assert.throws(() => parse(header({ path: 'f' }, { 124: huge })), { message: /size is out of range/ })
  assert.throws(() => parse(header({ path: 'f' }, { 124: negative })), { message: /size is negative/ })
})

test('TarParser lays PAX records over the header', () => {
  const capability = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0])
  const [parsed, next] = parse(
    Buffer.concat([
      pax([
        ['path', 'a/ü'],
        ['uid', '4000000000'],
        ['gid', '3000000000'],
        ['size', '5'],
        ['mtime', '1700000000.123456789'],
        ['atime', '-1.5'],
        ['SCHILY.xattr.security.capability', capability],
        ['LIBARCHIVE.xattr.user.a%3Db', Buffer.from('x=y').toString('base64')],
      ]),
      file('f', 'hello'),
      file('next'),
      end,
    ]),
  )
  const { xattrs, ...entry } = parsed?.entry ?? {}
  assert.deepEqual(entry, {
    ...tarEntry({ path: 'a/ü', sizeBytes: 5, uid: 4_000_000_000, gid: 3_000_000_000 }),
    mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
    atime: { seconds: -2, nanoseconds: 500_000_000 },
    extents: undefined,
  })
  assert.deepEqual(Object.fromEntries(xattrs ?? []), {
    'security.capability': capability,
    'user.a=b': Buffer.from('x=y'),
  })
  assert.deepEqual([next?.entry.path, next?.entry.uid, next?.entry.xattrs], ['next', 0, undefined])
})

test('TarParser keeps global PAX records until they are taken back', () => {
  const archive = [
    pax(
      [
        ['gid', '7'],
        ['SCHILY.xattr.user.x', '1'],
      ],
      'g',
    ),
    file('a'),
    pax([['gid', '8']]),
    file('b'),
    file('c'),
    pax([['gid', '']], 'g'),
    file('d'),
    end,
  ]
  assert.deepEqual(
    parse(Buffer.concat(archive)).map(({ entry }) => entry.gid),
    [7, 8, 7, 0],
  )
})

test('TarParser gives bodies only to files', () => {
  const sized = header({ path: 'l', type: 'hardlink', linkPath: 'a', sizeBytes: 100 })
  assert.deepEqual(paths(Buffer.concat([file('a', 'x'), sized, file('b'), end])), ['a', 'l', 'b'])
})

const pair = (offset: number, size: number) =>
  `${offset.toString(8).padStart(11, '0')}\0${size.toString(8).padStart(11, '0')}\0`

test('TarParser reads old GNU sparse files, extension blocks too', () => {
  const extension = Buffer.alloc(512)
  extension.write(pair(50_000, 2), 0)
  const pairs = pair(0, 1) + pair(10_000, 1) + pair(20_000, 1) + pair(30_000, 1)
  const archive = [
    header(
      { path: 's', sizeBytes: 6 },
      { 257: 'ustar  \0', [flag]: 'S', 386: pairs, 482: '\x01', 483: `${(60_000).toString(8).padStart(11, '0')}\0` },
    ),
    extension,
    pad(Buffer.from('abcdef')),
    file('next'),
    end,
  ]
  const [sparse, next] = parse(Buffer.concat(archive))
  assert.equal(sparse?.entry.sizeBytes, 60_000)
  assert.deepEqual(sparse?.data, [
    [0, 'a'],
    [10_000, 'b'],
    [20_000, 'c'],
    [30_000, 'd'],
    [50_000, 'ef'],
  ])
  assert.equal(next?.entry.path, 'next')
})

const sparseData = [
  [100, 'abc'],
  [5000, 'de'],
]
test('TarParser reads GNU.sparse 0.0', () => {
  const records = [
    ['GNU.sparse.size', '9000'],
    ['GNU.sparse.numblocks', '2'],
    ['GNU.sparse.offset', '100'],
    ['GNU.sparse.numbytes', '3'],
    ['GNU.sparse.offset', '5000'],
    ['GNU.sparse.numbytes', '2'],
  ] as const
  const [sparse] = parse(Buffer.concat([pax(records), file('s', 'abcde'), end]))
  assert.deepEqual([sparse?.entry.sizeBytes, sparse?.data], [9000, sparseData])
})

test('TarParser reads GNU.sparse 0.1', () => {
  const records = [
    ['GNU.sparse.size', '9000'],
    ['GNU.sparse.map', '100,3,5000,2'],
    ['GNU.sparse.name', 'real'],
  ] as const
  const [sparse] = parse(Buffer.concat([pax(records), file('GNUSparseFile.0/s', 'abcde'), end]), { chunkBytes: 100 })
  assert.deepEqual([sparse?.entry.path, sparse?.entry.sizeBytes], ['real', 9000])
})

test('TarParser reads GNU.sparse 1.0', () => {
  const records = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', 'real'],
    ['GNU.sparse.realsize', '9000'],
  ] as const
  const body = Buffer.concat([pad(Buffer.from('2\n100\n3\n5000\n2\n')), Buffer.from('abcde')])
  const [sparse, next] = parse(Buffer.concat([pax(records), member('0', body, 'x'), file('next'), end]))
  assert.deepEqual([sparse?.entry.path, sparse?.entry.sizeBytes, sparse?.data], ['real', 9000, sparseData])
  assert.equal(next?.entry.path, 'next')
})

const sparseFile = (map: string, size = '9000') =>
  Buffer.concat([
    pax([
      ['GNU.sparse.size', size],
      ['GNU.sparse.map', map],
    ]),
    file('s', 'abcde'),
    end,
  ])

test('TarParser refuses sparse maps that lie', () => {
  const cases: Record<string, RegExp> = {
    '100,3,101,2': /ascending/,
    '100,3,5000,1': /describes 4 bytes/,
    '100,3,8999,2': /exceeds the size/,
    '100,3,5000': /odd count/,
    '100,-3': /not a number/,
    '9007199254740991,5': /out of range/,
  }
  for (const [map, message] of Object.entries(cases))
    assert.throws(() => parse(sparseFile(map)), { kind: 'invalid', message })
  assert.throws(() => parse(sparseFile('0,1,2,1,4,1,6,2'), { limits: { maxExtents: 3 } }), {
    message: /more than 3 extents/,
  })
  assert.throws(() => parse(sparseFile('0,5', '99999999999999999999')), { message: /not a number in range/ })
})

test('TarParser refuses floods of metadata', () => {
  const flood = Buffer.concat([...Array.from({ length: 20 }, () => pax([['comment', 'x']])), file('f'), end])
  assert.throws(() => parse(flood), { message: /more than 16 extended headers/ })
  const large = Buffer.concat([pax([['comment', 'x'.repeat(2 << 20)]]), file('f'), end])
  assert.throws(() => parse(large), { message: /extended header of \d+ bytes exceeds 1048576/ })
  const globals = Array.from({ length: 5 }, (_, index) => pax([[`k${index}`, 'x'.repeat(300_000)]], 'g'))
  assert.throws(() => parse(Buffer.concat([...globals.flatMap((header, index) => [header, file(`f${index}`)]), end])), {
    message: /global PAX records exceed/,
  })
})

test('TarParser refuses malformed PAX records', () => {
  for (const body of ['x', '5 a=b', '100 path=x\n', '6 a=bc\n', '5 ab\n', '0 a=b\n', '5 =b\n\n', '-6 a=b\n']) {
    assert.throws(
      () => parse(Buffer.concat([member('x', body), file('f'), end])),
      { kind: 'invalid', message: /archive: .*PAX record/ },
      body,
    )
  }
  assert.throws(() => parse(Buffer.concat([pax([['path', 'a\0b']]), file('f'), end])), { message: /NUL/ })
  assert.throws(() => parse(Buffer.concat([pax([['uid', '-1']]), file('f'), end])), { message: /uid is not a number/ })
})

test('TarParser names the entry and the offset of a truncated archive', () => {
  const archive = Buffer.concat([file('a', 'x'), file('b', 'y'.repeat(2000))])
  assert.throws(() => parse(archive.subarray(0, 2500)), {
    kind: 'invalid',
    message: 'archive: entry "b" at byte 2500: unexpected EOF',
  })
  assert.throws(() => parse(archive.subarray(0, 1200)), { message: /at byte 1200: unexpected EOF/ })
  assert.throws(() => parse(pax([['path', 'x']])), { message: /unexpected EOF/ })
})

test('TarParser takes an archive without zero blocks and ignores what follows them', () => {
  assert.deepEqual(paths(file('a', 'x')), ['a'])
  assert.deepEqual(paths(Buffer.concat([file('a'), end, Buffer.from('garbage'), file('b')])), ['a'])
  assert.deepEqual(paths(end), [])
  assert.deepEqual(paths(Buffer.alloc(0)), [])
})

test('TarParser refuses a wrong checksum, garbage and types it does not know', () => {
  const broken = file('a')
  broken[0] = 0x62
  assert.throws(() => parse(broken), { message: 'archive: at byte 0: header checksum does not match' })
  assert.throws(() => parse(Buffer.alloc(1024, 'not a tar archive at all')), { kind: 'invalid' })
  assert.throws(() => parse(Buffer.concat([Buffer.alloc(512), file('a')])), {
    message: /a header follows a zero block/,
  })
  assert.throws(() => parse(header({ path: 'm' }, { [flag]: 'M' })), { message: /type "M" is not supported/ })
})
