// @ts-check
/** Every model architecture against transformers, on the reference and the compiled engine: see measure-model.mjs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { goldenCases, measureModel, root } from './measure-model.mjs'

/** @import { Engine } from '@attune/core' */

it('docs/measurements/models.md has a row for every case', () => {
  const table = readFileSync(join(root, 'docs/measurements/models.md'), 'utf8')
  for (const folder of goldenCases()) {
    const { architecture } = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8'))
    assert.ok(table.includes(`${architecture} (${basename(folder)})`), `${folder}: run tools/parity/write-table.mjs`)
  }
})

for (const name of ['tfjs-cpu', 'onnxruntime']) {
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier(name), { folders: [root] })).plugin()
  describe(`on engine ${name}`, () => {
    before(() => engine.start())
    after(() => engine.close())
    for (const folder of goldenCases())
      it(`${relative(root, folder)}: matches logits, loss, gradients, and weights after five steps`, async () => {
        const found = await measureModel(folder, engine)
        assert.ok(found.logits <= 1e-4, `logits differ by ${found.logits}`)
        assert.ok(found.loss <= 1e-5, `loss differs by ${found.loss}`)
        assert.ok(found.gradients <= 1e-3, `a gradient differs by ${found.gradients} of its norm`)
        assert.ok(found.weights <= 5e-5, `a weight differs by ${found.weights}`)
      })
  })
}
