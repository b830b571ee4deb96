// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('the loop runs, sees short texts first, and learns', () => {
  const out = execFileSync(process.execPath, ['dist/custom-trainer.js', '24'], { encoding: 'utf8' })
  const steps = [...out.matchAll(/step (\d+): texts of (\d+) tokens, loss (\d+\.\d+)/g)].map((match) =>
    match.slice(1).map(Number),
  )
  assert.equal(steps.length, 24)
  const lengths = steps.map(([, length]) => length ?? NaN)
  assert.deepEqual(
    lengths,
    [...lengths].sort((a, b) => a - b),
  )
  const mean = (/** @type {number[][]} */ some) =>
    some.reduce((sum, [, , loss]) => sum + (loss ?? NaN), 0) / some.length
  assert.ok(mean(steps.slice(-6)) < mean(steps.slice(0, 6)), out)
})
