// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('the DPO loss starts at ln 2 and falls', () => {
  const out = execFileSync(process.execPath, ['dist/dpo.js', '96'], { encoding: 'utf8' })
  const losses = [...out.matchAll(/DPO, step \d+: loss (\d+\.\d+)/g)].map(([, loss]) => Number(loss))
  assert.equal(losses.length, 3)
  assert.ok(Math.abs((losses[0] ?? NaN) - Math.log(2)) < 0.05, out)
  assert.ok((losses[2] ?? NaN) < (losses[0] ?? NaN) - 0.01, out)
})
