// @ts-check
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
/** Runs the command as its hints name it, from the root of the clone; npx must not search further. */
const npxAttune = (/** @type {string[]} */ ...args) =>
  spawnSync('npx', ['--no-install', 'attune', ...args], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })

test('npx attune works in a clone that was installed before it was built', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'packages/cli/package.json'), 'utf8'))
  const { stdout, stderr, status } = npxAttune('--version')
  assert.deepEqual([stdout.trim(), status], [version, 0], stderr)
})

test('npx attune explain prints the page of an error code', () => {
  const { stdout, status } = npxAttune('explain', 'BAD_CONFIG')
  assert.equal(status, 0)
  assert.match(stdout, /^# BAD_CONFIG\n/)
})
