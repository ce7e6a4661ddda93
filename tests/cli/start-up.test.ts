// What the build leaves for a fast start: tools/bundle-cli.mjs.
import { command, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'berth-start-up-'))
after(() => rmSync(folder, { recursive: true }))
const engine = useEngine()

/** Runs the command line with these files of chunks alone. */
async function runWith(names: readonly string[], args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const place = mkdtempSync(join(folder, 'dist-'))
  const files = ['berth.cjs', ...names.flatMap((name) => [`${name}.cjs`, `${name}.cache`])]
  for (const file of files) copyFileSync(join(dist, file), join(place, file))
  const { code, stderr } = await command(process.execPath, ['--no-warnings', '--', join(place, 'berth.cjs'), ...args], {
    env: { BERTH_HOST: engine.host },
  })
  return { code, stderr }
}

test('ps loads one file of chunks, completion of names one more', async () => {
  assert.deepEqual(await runWith(['berth-main'], ['ps', '--all']), { code: 0, stderr: '' })
  const complete = ['__complete', '--', 'stop', '']
  assert.deepEqual(await runWith(['berth-main', 'berth-more'], complete), { code: 0, stderr: '' })
  assert.match((await runWith(['berth-main'], complete)).stderr, /berth-more/)
})

test('the code cache of each file of chunks is one that V8 takes', async () => {
  const names = readdirSync(dist).flatMap((file) => /^(berth-\w+)\.cjs$/.exec(file)?.[1] ?? [])
  assert.deepEqual(names.toSorted(), ['berth-main', 'berth-more', 'berth-rest', 'berth-run'])
  const look = `
    const { readFileSync } = require('node:fs')
    const rejected = process.argv.slice(1).filter((name) => {
      const cachedData = readFileSync(name + '.cache')
      return new (require('node:vm').Script)(readFileSync(name + '.cjs', 'latin1'), { cachedData }).cachedDataRejected
    })
    console.log(JSON.stringify(rejected))`
  // The flags that bin/berth gives.
  const flags = ['--no-warnings', '--min-semi-space-size=4']
  const paths = names.map((name) => join(dist, name))
  const { stdout, stderr } = await command(process.execPath, [...flags, '-e', look, '--', ...paths])
  assert.deepEqual([stdout, stderr], ['[]\n', ''])
})
