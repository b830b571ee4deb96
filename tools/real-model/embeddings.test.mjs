// @ts-check
/**
 * Sentence embeddings of the real all-MiniLM-L6-v2, compared with sentence-transformers (golden values from
 * tools/golden/sentence_embeddings.py). Skipped with instructions if the model (90 MB) is missing.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ENGINE, MODEL, TOKENIZER, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { attentionMask, padTo } from '@attune/data'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { cast, div, expandDims, mul, norm, sum } from '@tensorflow/tfjs-core'

/** @import { Engine, Model, Params, TextInputs, Tokenizer } from '@attune/core' */

const folder = fileURLToPath(new URL('model', import.meta.url))
const search = { folders: [fileURLToPath(new URL('../..', import.meta.url))] }
const read = (/** @type {string} */ path) => readFileSync(new URL(path, import.meta.url))

/** Mean pooling over non-padding tokens, normalized to unit length: `[batch, hidden]`. */
function embed(/** @type {Model} */ model, /** @type {Params} */ params, /** @type {TextInputs} */ inputs) {
  const { lastHiddenState } = model.forward(params, inputs, { training: false })
  const mask = expandDims(cast(inputs.attentionMask, 'float32'), 2)
  const mean = div(sum(mul(lastHiddenState, mask), 1), sum(mask, 1))
  return div(mean, norm(mean, 'euclidean', 1, true))
}

if (!existsSync(folder)) it('all-MiniLM-L6-v2', { skip: 'the model is missing; run `node tools/real-model/fetch.mjs`' })
else
  it('matches the embeddings of sentence-transformers within 1e-5', async () => {
    const golden = JSON.parse(read('golden/sentence-embeddings.json').toString())
    const plugin = (await findPlugin(MODEL, userSpecifier('bert'), search)).plugin
    /** @type {Model} */
    const model = plugin(optionsFromConfig(plugin.options, JSON.parse(read('model/config.json').toString())))
    /** @type {Tokenizer} */
    const tokenizer = (await findPlugin(TOKENIZER, userSpecifier('wordpiece'), search)).plugin({ path: folder })
    /** @type {Engine} */
    const engine = (await findPlugin(ENGINE, userSpecifier('onnxruntime'), search)).plugin()
    await engine.start()
    const { tensors } = decodeSafetensors(read('model/model.safetensors'), 'model.safetensors')
    const named = Object.entries(tensors).filter(([name]) => name !== 'embeddings.position_ids')
    const params = engine.put(Object.fromEntries(named.map(([name, tensor]) => [`bert.${name}`, tensor])))
    const forward = engine.compile((/** @type {any} */ p, /** @type {any} */ inputs) => embed(model, p, inputs))
    for (const [i, sentence] of golden.sentences.entries()) {
      const { ids } = tokenizer.encode(sentence, { maximumLength: golden.maximumLength })
      const given = {
        inputIds: padTo([ids], ids.length, 0),
        attentionMask: attentionMask([ids], ids.length),
        tokenTypeIds: padTo([ids.map(() => 0)], ids.length, 0),
      }
      const { values } = /** @type {any} */ (await engine.read(forward(params, engine.put(given))))
      const furthest = Math.max(
        ...golden.embeddings[i].map((/** @type {number} */ x, /** @type {number} */ j) => Math.abs(x - values[j])),
      )
      assert.ok(furthest <= 1e-5, `${JSON.stringify(sentence.slice(0, 40))}: ${furthest} off`)
    }
    await engine.close()
  })
