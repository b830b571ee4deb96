// @ts-check
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { keyOf, otherAdapters, rateCells, testCells } from './method-cells.mjs'
import { failuresOf, interval, tablesOf } from './method-tables.mjs'

test('confidence intervals are those of the t-distribution', () => {
  // scipy.stats.t.interval(0.95, 2, loc=2, scale=scipy.stats.sem([1, 2, 3])): (-0.4841, 4.4841)
  const { mean, half } = interval([1, 2, 3])
  assert.equal(mean, 2)
  assert.ok(Math.abs(half - 2.4841) < 1e-3, String(half))
})

test('every cell has a key of its own, and every method a learning rate to select', () => {
  const cells = testCells([1, 2, 3])
  assert.equal(new Set(cells.map(keyOf)).size, cells.length)
  assert.equal(new Set(rateCells().map(keyOf)).size, rateCells().length)
  const rated = new Set(rateCells().map((cell) => cell.rated))
  assert.deepEqual(
    cells.filter((cell) => !rated.has(cell.rated)),
    [],
  )
})

test('adapters that appear in the plugins folder are compared', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-adapters-'))
  for (const name of ['adapter-new', 'adapter-bitfit', 'optimizer-adamw']) mkdirSync(join(folder, name))
  assert.deepEqual(otherAdapters(folder), ['new'])
  rmSync(folder, { recursive: true })
})

test('tables list the best method first, and failures with their reason', () => {
  const [cell] = testCells([1])
  assert.ok(cell)
  const done = (/** @type {string} */ name, /** @type {number} */ accuracy, /** @type {number} */ seed) => ({
    ...{ ...cell, name, seed, key: `${name} ${seed}`, accuracy, f1: 0.5, share: 0.004, seconds: 2, peakBytes: 3e6 },
    steps: 1,
  })
  const results = [done('worse', 0.1, 1), done('better', 0.8, 1), done('better', 0.9, 2)]
  const [table, ...others] = tablesOf(results)
  assert.deepEqual(others, [])
  assert.deepEqual(
    table?.rows.map(([name, , accuracy, , share, , , seeds]) => [name, accuracy, share, seeds]),
    [
      ['better', '85.0 ± 63.5', '0.40 %', '2'],
      ['worse', '10.0', '0.40 %', '1'],
    ],
  )
  assert.deepEqual(failuresOf([{ ...cell, key: 'k', failure: 'no room' }]), [
    `- Debian sections, ${cell.name}: no room`,
  ])
})
