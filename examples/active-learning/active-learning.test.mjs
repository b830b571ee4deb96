// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('labels that are selected, and random ones, raise the accuracy', () => {
  const out = execFileSync(process.execPath, ['dist/active-learning.js', '1', '150', '7'], { encoding: 'utf8' })
  for (const by of ['entropy', 'random']) {
    const lines = [...out.matchAll(new RegExp(`^${by}, (\\d+) labels: accuracy (\\d\\.\\d+)`, 'gm'))]
    assert.deepEqual(
      lines.map(([, labels]) => Number(labels)),
      [40, 190],
      out,
    )
    const [first = 1, last = 0] = lines.map(([, , accuracy]) => Number(accuracy))
    assert.ok(last > first + 0.1, out)
  }
})
