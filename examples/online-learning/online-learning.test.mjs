// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('online learning raises the prequential accuracy, and the saved model predicts', () => {
  const out = execFileSync(process.execPath, ['dist/online-learning.js', '1600'], { encoding: 'utf8' })
  const accuracies = [...out.matchAll(/accuracy of the latest (\d+\.\d) %/g)].map(([, percent]) => Number(percent))
  assert.equal(accuracies.length, 4, out)
  assert.ok((accuracies[3] ?? 0) > (accuracies[0] ?? 0) + 5, out)
  assert.match(out, /a real-time strategy game with tanks → \w+/)
})
