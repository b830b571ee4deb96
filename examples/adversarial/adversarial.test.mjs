// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** @param {string} strength @returns {number[]} the last losses of the classifier and of the adversary */
function lossesAt(strength) {
  const out = execFileSync(process.execPath, ['dist/adversarial.js', '60', strength], { encoding: 'utf8' })
  const lines = [...out.matchAll(/section (\d+\.\d+), adversary (\d+\.\d+)/g)].map((match) =>
    match.slice(1).map(Number),
  )
  assert.equal(lines.length, 6)
  assert.ok((lines[5]?.[0] ?? NaN) < (lines[0]?.[0] ?? NaN), out)
  return lines[5] ?? []
}

test('the classifier learns, and the adversary reads less from it where its gradient is reversed', () => {
  const [, free = NaN] = lossesAt('0')
  const [, hidden = NaN] = lossesAt('1')
  assert.ok(hidden > 2 * free, `${hidden} > 2 · ${free}`)
})
