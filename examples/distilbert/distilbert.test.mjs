// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('a student with half the layers learns masked language modeling from its teacher', () => {
  const out = execFileSync(process.execPath, ['dist/distilbert.js', '96', '2'], { encoding: 'utf8' })
  const losses = (/** @type {string} */ stage) =>
    [...out.matchAll(new RegExp(`^${stage}, step \\d+: loss (\\d+\\.\\d+)`, 'gm'))].map(([, loss]) => Number(loss))
  const [teacher, student] = [losses('teacher'), losses('student')]
  assert.deepEqual([teacher.length, student.length], [2, 2], out)
  assert.ok(/** @type {number} */ (student[1]) < /** @type {number} */ (student[0]), out)
  // The loss of random guessing is the logarithm of the vocabulary size.
  assert.ok(/** @type {number} */ (student[1]) < Math.log(8192) - 1, out)
})
