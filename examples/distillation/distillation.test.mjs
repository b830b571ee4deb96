// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('mutual distillation lowers both losses and keeps the divergence small', () => {
  const out = execFileSync(process.execPath, ['dist/distillation.js', '40'], { encoding: 'utf8' })
  const steps = [...out.matchAll(/teacher (\d+\.\d+), student (\d+\.\d+), divergence (\d+\.\d+)/g)].map((match) =>
    match.slice(1).map(Number),
  )
  assert.equal(steps.length, 40)
  const mean = (/** @type {number[][]} */ some, /** @type {number} */ at) =>
    some.reduce((sum, values) => sum + (values[at] ?? NaN), 0) / some.length
  for (const at of [0, 1]) assert.ok(mean(steps.slice(-8), at) < mean(steps.slice(0, 8), at), out)
  assert.ok(mean(steps.slice(-8), 2) < 0.5, out)
})
