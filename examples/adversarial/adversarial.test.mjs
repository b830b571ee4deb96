// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

/** Final losses of the classifier and of the adversary. @param {string} strength @returns {number[]} */
function finalLosses(strength) {
  const out = execFileSync(process.execPath, ['dist/adversarial.js', '60', strength], { encoding: 'utf8' })
  const lines = [...out.matchAll(/section (\d+\.\d+), adversary (\d+\.\d+)/g)].map((match) =>
    match.slice(1).map(Number),
  )
  assert.equal(lines.length, 6)
  assert.ok((lines[5]?.[0] ?? NaN) < (lines[0]?.[0] ?? NaN), out)
  return lines[5] ?? []
}

test('domain-adversarial training lowers the classifier loss and raises the adversary loss', () => {
  const [, free = NaN] = finalLosses('0')
  const [, reversed = NaN] = finalLosses('1')
  assert.ok(reversed > 2 * free, `${reversed} > 2 · ${free}`)
})
