// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

test('the custom loop trains on short texts first, lowers the loss and saves the model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custom-trainer-'))
  const out = execFileSync(process.execPath, ['dist/custom-trainer.js', '24', join(folder, 'model')], {
    encoding: 'utf8',
  })
  assert.match(out, /loss on all examples: \d+\.\d+/)
  for (const file of ['config.json', 'model.safetensors', 'tokenizer.json'])
    assert.ok(existsSync(join(folder, 'model', file)), file)
  rmSync(folder, { recursive: true })
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
