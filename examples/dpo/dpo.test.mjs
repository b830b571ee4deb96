// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('the losses of DPO and APO start at ln 2 and 1, and fall', () => {
  const out = execFileSync(process.execPath, ['dist/dpo.js', '96'], { encoding: 'utf8' })
  const stages = /** @type {const} */ ([
    ['DPO', Math.log(2)],
    ['APO', 1],
  ])
  for (const [stage, start] of stages) {
    const pattern = new RegExp(`${stage}, step \\d+: loss (\\d+\\.\\d+)`, 'g')
    const losses = [...out.matchAll(pattern)].map(([, loss]) => Number(loss))
    assert.equal(losses.length, 3)
    assert.ok(Math.abs((losses[0] ?? NaN) - start) < 0.05, out)
    assert.ok((losses[2] ?? NaN) < (losses[0] ?? NaN) - 0.01, out)
  }
})
