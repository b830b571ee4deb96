// @ts-check
/**
 * Batched generation with cached states by tiny recurrent networks, against PyTorch, which reads the whole prefix for each token. Golden
 * values from tools/golden/recurrent_writing.py.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { generator } from '@attune/generate'
import { lastValueFrom, toArray } from 'rxjs'
import { readCase, root } from './measure-model.mjs'

const golden = JSON.parse(readFileSync(join(root, 'tools/parity/golden/recurrent-writing.json'), 'utf8'))

/** Stub tokenizer: ids are compared, not texts. @type {any} */
const tokenizer = { special: {}, decode: (/** @type {number[]} */ ids) => ids.join(' ') }

for (const name of ['tfjs-cpu', 'onnxruntime']) {
  const engine = (await findPlugin(ENGINE, userSpecifier(name), { folders: [root] })).plugin()
  describe(`on engine ${name}`, () => {
    before(() => engine.start())
    after(() => engine.close())
    for (const { case: folder, beams, found } of golden.texts)
      it(`${folder} with ${beams} beams matches ${golden.source}`, async () => {
        const { model, weights } = await readCase(join(root, 'plugins/model-lstm/golden', folder))
        const params = /** @type {any} */ (engine.put(weights))
        const writer = generator({ engine, model, params, tokenizer })
        const live = engine.live()
        const events = await lastValueFrom(
          writer.generate(golden.prompts, { maximumNewTokens: golden.room, beams }).pipe(toArray()),
        )
        const finished = events.flatMap((event) => (event.type === 'finished' ? [event] : []))
        assert.deepEqual(
          finished.sort((a, b) => a.row - b.row).map(({ ids }) => [...ids]),
          found.map((/** @type {any} */ { written }) => written),
        )
        if (beams > 1)
          for (const [row, { score }] of finished.entries())
            assert.ok(
              Math.abs(/** @type {number} */ (score) - found[row].score) < 1e-5,
              `expected score ${found[row].score}, got ${score}`,
            )
        assert.equal(engine.live(), live)
        writer.close()
        engine.release(params)
      })
  })
}
