import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGit } from './parse-git.ts'

const plain = { ref: '', folder: '', commit: '', keepsGitDirectory: undefined, hasSubmodules: true }

test('parseGit() reads what of a repository is wanted from the fragment, and from the query', () => {
  const url = 'https://host/r.git'
  const commit = '0123456789abcdef0123456789abcdef01234567'
  const expected: Record<string, object> = {
    [url]: { ...plain, url },
    [`${url}#main:a/b`]: { ...plain, url, ref: 'main', folder: 'a/b' },
    [`${url}?ref=main&subdir=a%2Fb`]: { ...plain, url, ref: 'main', folder: 'a/b' },
    [`${url}?subdir=a#main:a`]: { ...plain, url, ref: 'main', folder: 'a' },
    [`${url}?tag=v1`]: { ...plain, url, ref: 'refs/tags/v1' },
    [`${url}?branch=refs/heads/x`]: { ...plain, url, ref: 'refs/heads/x' },
    [`${url}?checksum=${commit}`]: { ...plain, url, ref: commit, commit },
    [`${url}?ref=main&commit=0123456`]: { ...plain, url, ref: 'main', commit: '0123456' },
    [`${url}?keep-git-dir&submodules=false`]: { ...plain, url, keepsGitDirectory: true, hasSubmodules: false },
    'github.com/a/b?ref=x': { ...plain, url: 'https://github.com/a/b', ref: 'x' },
    'git@host:r.git#x': { ...plain, url: 'git@host:r.git', ref: 'x' },
  }
  const parsed = Object.keys(expected).map((text) => [text, parseGit(text)])
  assert.deepEqual(Object.fromEntries(parsed), expected)
})

test('parseGit() refuses what contradicts itself, is unknown, or is an option', () => {
  const refused: Record<string, RegExp> = {
    '?ref=a#b': /^ref conflicts: "b" vs "a"$/,
    '?subdir=a#b:c': /^subdir conflicts: "c" vs "a"$/,
    '?tag=a&branch=a': /^branch conflicts with tag$/,
    '?ref=a&ref=b': /^query "ref" has multiple values$/,
    '?ref=': /^query "ref" has no value$/,
    '?x=1': /^unexpected query "x"$/,
    '?submodules=2': /^invalid submodules value: "2"$/,
    '?ref=--upload-pack=x': /^invalid git reference: "--upload-pack=x"$/,
    '?checksum=--x': /^invalid commit: "--x"$/,
  }
  for (const [rest, message] of Object.entries(refused)) {
    assert.throws(() => parseGit(`https://host/r.git${rest}`), { message })
  }
})
