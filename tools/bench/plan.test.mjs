// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COLUMNS, SMALL, compare, rowOf } from './estimates.mjs'

test('a run on onnxruntime takes the memory that its plan estimates', () => {
  const compared = compare(SMALL)
  const row = rowOf(compared)
  console.log(COLUMNS.map((column, i) => `${column} ${row[i]}`.trim()).join(', '))
  const { estimated, measured } = compared
  assert.ok(
    Math.abs(estimated.peak / measured.peak - 1) < 0.3,
    `expected ${estimated.peak} bytes, got ${measured.peak}`,
  )
  for (const time of [estimated.step, estimated.seconds, measured.step, measured.seconds])
    assert.ok(time > 0, `${time}`)
})
