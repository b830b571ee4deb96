// @ts-check
/** Every optimizer against its reference and on a tiny BERT, on the reference and the compiled engine: see measure-optimizers.mjs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { root } from './measure-model.mjs'
import { deviation, optimizerPlugins, trainTiny } from './measure-optimizers.mjs'

/** @import { Engine } from '@attune/core' */

const plugins = await optimizerPlugins()
/** @param {string} name @returns {Promise<Engine>} */
const engineOf = async (name) => (await findPlugin(ENGINE, userSpecifier(name), { folders: [root] })).plugin()
const [eager, compiled] = [await engineOf('tfjs-cpu'), await engineOf('onnxruntime')]

before(async () => {
  await eager.start()
  await compiled.start()
})
after(async () => {
  await eager.close()
  await compiled.close()
})

it('docs/measurements/training.md has a row for every optimizer', () => {
  const table = readFileSync(join(root, 'docs/measurements/training.md'), 'utf8')
  for (const { name } of plugins)
    assert.match(table, new RegExp(`^\\| ${name} +\\|`, 'm'), `${name}: run tools/parity/write-training-table.mjs`)
})

for (const measured of plugins)
  describe(`optimizer ${measured.name}`, () => {
    const { golden, plugin, name } = measured
    if (golden !== undefined)
      it(`compiled, agrees with ${golden.source}`, async () => {
        const largest = await deviation(compiled, plugin, golden)
        assert.ok(largest <= 1e-5, `deviates by ${largest}`)
      })

    it('trains a tiny BERT compiled as eagerly', async () => {
      const [found, expected] = [await trainTiny(compiled, measured), await trainTiny(eager, measured)]
      for (const [i, loss] of expected.entries())
        assert.ok(Math.abs(loss - (found[i] ?? NaN)) <= 2e-4, `${name}: expected losses ${expected}, got ${found}`)
      assert.ok(
        (expected.at(-1) ?? NaN) < /** @type {number} */ (expected[0]),
        `${name}: expected a falling loss, got ${expected}`,
      )
    })
  })
