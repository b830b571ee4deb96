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

test('drift is detected after the labels change, the new concept is learned and the old one forgotten', () => {
  const out = execFileSync(process.execPath, ['dist/drift.js', '700', '500'], { encoding: 'utf8' })
  const [, at, change] = out.match(/drift after (\d+) rows \(the labels were swapped after (\d+)\)/) ?? []
  assert.ok(Number(at) > Number(change) && Number(at) < Number(change) + 250, out)
  const last = out.trim().split('\n').at(-1) ?? ''
  const [, , fresh, forgotten] = last.match(/old concept (\S+), new concept (\S+), forgotten of the old (\S+)/) ?? []
  assert.ok(Number(fresh) > 0.6 && Number(forgotten) > 0.2, out)
})

test('three losses learn from a stream with wrong labels', () => {
  const out = execFileSync(process.execPath, ['dist/label-noise.js', '200', '1'], { encoding: 'utf8' })
  const accuracies = [...out.matchAll(/% wrong labels, [^:]+: accuracy on right labels (0\.\d{3})$/gm)].map(([, value]) => Number(value)) // prettier-ignore
  assert.equal(accuracies.length, 6, out)
  assert.ok(Math.max(...accuracies.slice(0, 3)) > 0.4, out) // chance is 0.25
})

test('a model that learns another concept forgets the first, and less with replay', () => {
  const out = execFileSync(process.execPath, ['dist/forgetting.js', '200', '1'], { encoding: 'utf8' })
  const pattern = /^seed 1, (\w+): accuracy on A (\S+) before, (\S+) after B; on B (\S+)$/gm
  const found = Object.fromEntries([...out.matchAll(pattern)].map(([, name, ...values]) => [name, values.map(Number)]))
  assert.deepEqual(Object.keys(found), ['plain', 'EWC', 'replay'], out)
  const [[before = NaN, plain = NaN], [, replay = NaN]] = [found['plain'] ?? [], found['replay'] ?? []]
  assert.ok(before > 0.7 && plain < before - 0.1 && replay > plain + 0.05, out)
})
