import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOverlayXattr, opaqueMarkerPath, parseWhiteout, whiteoutPath } from './whiteout.ts'

test('parseWhiteout() tells deletions, opaque directories and AUFS metadata from files', () => {
  const cases = {
    'etc/passwd': undefined,
    'etc/x.wh.y': undefined,
    'etc/.whisper': undefined,
    'etc/.wh.passwd': { kind: 'delete', path: 'etc/passwd' },
    '.wh.bin': { kind: 'delete', path: 'bin' },
    'a/.wh..hidden': { kind: 'delete', path: 'a/.hidden' },
    'etc/.wh..wh..opq': { kind: 'opaque', path: 'etc' },
    '.wh..wh..opq': { kind: 'opaque', path: '' },
    '.wh..wh.aufs': { kind: 'metadata' },
    '.wh..wh.plnk/12.34': { kind: 'metadata' },
  }
  for (const [path, whiteout] of Object.entries(cases)) assert.deepEqual(parseWhiteout(path), whiteout, path)
})

test('parseWhiteout() refuses a whiteout of nothing, of the directory and of its parent', () => {
  for (const path of ['a/.wh.', 'a/.wh..', 'a/.wh...']) assert.throws(() => parseWhiteout(path), { kind: 'invalid' })
})

test('whiteoutPath() and opaqueMarkerPath() are what parseWhiteout() reads', () => {
  for (const path of ['bin', 'usr/bin/x']) {
    assert.deepEqual(parseWhiteout(whiteoutPath(path)), { kind: 'delete', path })
    assert.deepEqual(parseWhiteout(opaqueMarkerPath(path)), { kind: 'opaque', path })
  }
})

test("isOverlayXattr() knows overlayfs's own attributes", () => {
  assert.equal(isOverlayXattr('trusted.overlay.redirect'), true)
  assert.equal(isOverlayXattr('user.overlay.opaque'), true)
  assert.equal(isOverlayXattr('security.capability'), false)
})
