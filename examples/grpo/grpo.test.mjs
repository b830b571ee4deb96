// @ts-check
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'

test('the mean reward of the format rises', () => {
  const out = execFileSync(process.execPath, ['dist/grpo.js', '12'], { encoding: 'utf8' })
  const rewards = [...out.matchAll(/step \d+: mean reward (\d\.\d+)/g)].map(([, reward]) => Number(reward))
  assert.equal(rewards.length, 12)
  const mean = (/** @type {readonly number[]} */ values) => values.reduce((a, b) => a + b, 0) / values.length
  assert.ok(mean(rewards.slice(-3)) > mean(rewards.slice(0, 3)) + 0.2, out)
})
