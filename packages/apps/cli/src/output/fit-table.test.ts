import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitTable } from './fit-table.ts'
import { formatTable } from './table.ts'

const table = {
  header: ['ID', 'COMMAND', 'CREATED', 'PORTS', 'NAMES'],
  rows: [
    ['0123456789ab', '"sh -c something"', '4 seconds ago', '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp', 'web'],
    ['ba9876543210', '"true"', '2 hours ago', '', 'job'],
  ],
}
const rule = { shrink: { COMMAND: 8, PORTS: 10 }, drop: ['COMMAND', 'CREATED'] }

function fitted(width: number): string[] {
  const { header, rows, gap } = fitTable(table, width, rule)
  return formatTable(header, rows, gap).trimEnd().split('\n')
}

test('fitTable() leaves a table alone that fits', () => {
  assert.deepEqual(fitTable(table, 200, rule), { ...table, gap: 3 })
})

test('fitTable() narrows the gaps, then cuts the widest columns, then leaves columns out', () => {
  for (const width of [95, 80, 60, 50, 40]) {
    const lines = fitted(width)
    assert.ok(
      lines.every((line) => line.length <= width),
      `${width}\n${lines.join('\n')}`,
    )
  }
  assert.match(
    fitted(80)[1] ?? '',
    /^0123456789ab {2}"sh -c someth… {2}4 seconds ago {2}0\.0\.0\.0:8080->80\/t… {2}web$|…/,
  )
  assert.match(fitted(60)[0] ?? '', /COMMAND/)
  assert.equal(fitted(50)[0], 'ID            CREATED        PORTS           NAMES')
  assert.equal(fitted(40)[0], 'ID            PORTS                NAMES')
})

test('fitTable() leaves what cannot be narrowed too wide', () => {
  assert.equal(fitted(10)[2], 'ba9876543210              job')
})
