// @ts-check
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNodesV2 } from './infer-projects.mjs'

const workspaceRoot = join(import.meta.dirname, '../..')

/** The inputs of a package's tests. @param {string} folder */
async function inputsOf(folder) {
  const [, infer] = createNodesV2
  const context = /** @type {any} */ ({ workspaceRoot })
  const [[, { projects }]] = /** @type {any} */ (await infer([`${folder}/package.json`], undefined, context))
  return /** @type {{ runtime?: string }[]} */ (projects[folder].targets.test.inputs)
}

test('what a machine has for engines is an input of their tests, so that a cached pass is none of a test left out', async () => {
  const runtimes = async (/** @type {string} */ folder) =>
    (await inputsOf(folder)).flatMap(({ runtime }) => (runtime === undefined ? [] : [runtime]))
  for (const folder of ['plugins/engine-tfjs-node-gpu', 'plugins/engine-tfjs-webgpu', 'tools/tfjs-native']) {
    const [command = ''] = await runtimes(folder)
    const told = ['', '/opt/tfjs-node'].map((place) => {
      const env = { ...process.env, ATTUNE_TFJS_NODE: place }
      const { stdout, status } = spawnSync(command, { cwd: workspaceRoot, env, shell: true, encoding: 'utf8' })
      assert.equal(status, 0)
      return stdout
    })
    assert.notEqual(told[0], told[1])
  }
  assert.deepEqual(await runtimes('plugins/optimizer-adamw'), [])
})
