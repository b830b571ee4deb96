// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COLUMNS, SMALL, compare, rowOf } from './forecasts.mjs'

test('a run on onnxruntime takes the memory that its plan foretells; its times are printed', () => {
  const compared = compare(SMALL)
  const row = rowOf(compared)
  console.log(COLUMNS.map((column, i) => `${column} ${row[i]}`.trim()).join(', '))
  const { foretold, taken } = compared
  assert.ok(Math.abs(foretold.peak / taken.peak - 1) < 0.3, `${foretold.peak} bytes foretold, ${taken.peak} taken`)
  for (const time of [foretold.step, foretold.seconds, taken.step, taken.seconds]) assert.ok(time > 0, `${time}`)
})
