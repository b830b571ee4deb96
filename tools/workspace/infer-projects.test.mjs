// @ts-check
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { createNodesV2 } from './infer-projects.mjs'

const workspaceRoot = join(import.meta.dirname, '../..')

/** Inputs of a package's tests. @param {string} folder */
async function inputsOf(folder) {
  const [, infer] = createNodesV2
  const context = /** @type {any} */ ({ workspaceRoot })
  const [[, { projects }]] = /** @type {any} */ (await infer([`${folder}/package.json`], undefined, context))
  return /** @type {{ runtime?: string }[]} */ (projects[folder].targets.test.inputs)
}

/** Commands whose outputs are inputs of a package's tests. @param {string} folder */
const runtimes = async (folder) =>
  (await inputsOf(folder)).flatMap(({ runtime }) => (runtime === undefined ? [] : [runtime]))

/** @param {string} command @param {NodeJS.ProcessEnv} env */
function outputOf(command, env) {
  const { stdout, status } = spawnSync(command, {
    cwd: workspaceRoot,
    env: { ...process.env, ...env },
    shell: true,
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  return stdout
}

test('tests in a browser depend on its presence, so that a cached pass of a skipped test is not reused', async () => {
  for (const folder of ['packages/cli', 'examples/browser']) {
    const [command = ''] = await runtimes(folder)
    assert.equal(outputOf(command, { CHROMIUM: process.execPath }), `${process.execPath}\n`)
    assert.notEqual(
      outputOf(command, { CHROMIUM: '/absent', PATH: dirname(process.execPath) }),
      `${process.execPath}\n`,
    )
  }
})

test('engine tests depend on the libraries of the machine, so that a cached pass of a skipped test is not reused', async () => {
  for (const folder of ['plugins/engine-tfjs-node-gpu', 'plugins/engine-tfjs-webgpu', 'tools/tfjs-native']) {
    const [command = ''] = await runtimes(folder)
    const outputs = ['', '/opt/tfjs-node'].map((folder) => outputOf(command, { ATTUNE_TFJS_NODE: folder }))
    assert.notEqual(outputs[0], outputs[1])
  }
  assert.deepEqual(await runtimes('plugins/optimizer-adamw'), [])
})

test('slow tests of a package are a target of their own, whose digest does not depend on tests of other packages', async () => {
  const [, infer] = createNodesV2
  const context = /** @type {any} */ ({ workspaceRoot })
  const targetsOf = async (/** @type {string} */ folder) => {
    const [[, { projects }]] = /** @type {any} */ (await infer([`${folder}/package.json`], undefined, context))
    return projects[folder].targets
  }
  const { slow } = await targetsOf('packages/cli')
  assert.equal(slow.options.command, 'node ../../tools/run/jest.mjs --slow')
  assert.ok(slow.inputs.includes('!{workspaceRoot}/{packages,plugins}/*/src/**/*.test.ts'))
  assert.equal('slow' in (await targetsOf('packages/core')), false)
})
