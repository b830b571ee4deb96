// @ts-check
/**
 * The pipelines of transformers.js return for exported models what Attune returns for the saved ones: labels, tags, token ids and generated
 * texts are equal, probabilities and vectors agree to rounding.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { env, pipeline } from '@huggingface/transformers'
import { generator } from '@attune/generate'
import { headFor, maskedLogits, meanPool } from '@attune/nn'
import { openPredictor } from '@attune/trainer/node'
import { div, norm } from '@tensorflow/tfjs-core'
import { lastValueFrom, toArray } from 'rxjs'
import { FAMILIES, TEXTS, makeEngine, saveAndExport, search } from './saved-models.mjs'

/** @import { Engine } from '@attune/core' */

const LABELS = ['no', 'perhaps', 'yes']
const TAGS = ['O', 'B-NAME', 'I-NAME']
const NEW_TOKENS = 20
const TOLERANCE = 1e-4

/** @type {Engine} */
const engine = await makeEngine()
const root = mkdtempSync(join(tmpdir(), 'attune-transformers-js-'))
before(() => engine.start())
after(async () => {
  await engine.close()
  rmSync(root, { recursive: true })
})
Object.assign(env, { localModelPath: root, allowRemoteModels: false })

/** Opens an exported model with a pipeline. @param {any} task @param {string} folder @returns {Promise<any>} */
const open = (task, folder) => pipeline(task, basename(folder), { dtype: 'fp32' })

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function assertClose(a, b) {
  assert.equal(a.length, b.length)
  const apart = Math.max(...Array.from(a, (x, i) => Math.abs(x - Number(b[i]))))
  assert.ok(apart < TOLERANCE, `expected a difference below ${TOLERANCE}, got ${apart}`)
}

/** Token ids of a text as a batch of one. @param {any} tokenizer @param {string} text */
function batchOf(tokenizer, text) {
  const { ids, typeIds } = tokenizer.encode(text)
  const grid = (/** @type {readonly number[]} */ values) =>
    /** @type {const} */ ({ shape: [1, ids.length], dtype: 'int32', values: Int32Array.from(values) })
  return { inputIds: grid(ids), attentionMask: grid(ids.map(() => 1)), tokenTypeIds: grid(typeIds) }
}

/** Runs a function of the parameters and a text's inputs on the engine. @param {any} saved @param {string} text @param {(params: any, inputs: any) => any} fn @returns {Promise<any>} */
async function compute({ params, tokenizer }, text, fn) {
  const compiled = engine.compile(fn)
  const result = await engine.read(compiled(params, engine.put(batchOf(tokenizer, text))))
  compiled.dispose()
  return result
}

describe('text classification', () => {
  const families = [...FAMILIES.encoders, ...FAMILIES.encoderDecoders.filter(({ family }) => family === 'bart')]
  for (const of of families)
    it(`of ${of.name ?? of.family} returns the same labels and probabilities`, async () => {
      const saved = await saveAndExport(engine, of, 'sequence-classification', { labels: LABELS }, root)
      assert.deepEqual(saved.files, ['onnx/model.onnx'])
      const [classify, predictor] = [
        await open('text-classification', saved.folder),
        await openPredictor(saved.folder, { searchPaths: search }),
      ]
      const theirs = await classify(TEXTS, { top_k: 3 })
      const ours = /** @type {any[]} */ (await predictor.predict(TEXTS.map((text) => ({ text }))))
      for (const [i, { label, scores }] of ours.entries()) {
        assert.equal(theirs[i][0].label, label)
        assertClose(
          theirs[i].map((/** @type {any} */ each) => each.score),
          theirs[i].map((/** @type {any} */ each) => scores[each.label]),
        )
      }
      await predictor.close()
      await classify.dispose()
    })
})

describe('token classification', () => {
  // transformers.js has no class for ALBERT, and Attune no head for ModernBERT.
  for (const of of FAMILIES.encoders.filter(({ family }) => !['albert', 'modernbert'].includes(family)))
    it(`of ${of.name ?? of.family} returns the same tags of the tokens`, async () => {
      const saved = await saveAndExport(engine, of, 'token-classification', { labels: TAGS }, root)
      const tag = await open('token-classification', saved.folder)
      for (const text of TEXTS) {
        const theirs = await tag(text, { ignore_labels: [] })
        const { logits } = await compute(saved, text, (params, inputs) => {
          const outputs = saved.model.forward(params, inputs, { training: false })
          return { logits: saved.objective.head(params, outputs, { training: false }, { inputs }) }
        })
        const row = (/** @type {number} */ i) => Array.from(logits.values.slice(i * TAGS.length, (i + 1) * TAGS.length))
        assert.ok(theirs.length > 0)
        for (const { entity, index } of theirs) assert.equal(entity, TAGS[row(index).indexOf(Math.max(...row(index)))])
      }
      await tag.dispose()
    })
})

describe('masked language modeling', () => {
  for (const each of FAMILIES.encoders) {
    const of = { ...each, tokenizer: each.tokenizer === 'bpe' ? 'wordpiece' : each.tokenizer } // with a mask token
    it(`of ${of.name ?? of.family} returns the same tokens`, async () => {
      const saved = await saveAndExport(engine, of, 'masked-language-modeling', {}, root)
      const fill = await open('fill-mask', saved.folder)
      const mask = saved.tokenizer.token(/** @type {number} */ (saved.tokenizer.special.mask))
      const text = `a ${mask} library`
      const theirs = await fill(text)
      const at = saved.tokenizer.encode(text).ids.indexOf(/** @type {number} */ (saved.tokenizer.special.mask))
      const { logits } = await compute(saved, text, (params, inputs) => {
        const { lastHiddenState } = saved.model.forward(params, inputs, { training: false })
        return {
          logits: maskedLogits(saved.model, headFor(saved.model, 'masked-language-modeling'), params, lastHiddenState),
        }
      })
      const size = saved.tokenizer.vocabularySize
      const row = Array.from(logits.values.slice(at * size, (at + 1) * size))
      const best = row
        .map((_, i) => i)
        .sort((a, b) => row[b] - row[a])
        .slice(0, 5)
      assert.deepEqual(
        theirs.map((/** @type {any} */ each) => each.token),
        best,
      )
      await fill.dispose()
    })
  }
})

describe('feature extraction', () => {
  for (const of of FAMILIES.encoders)
    it(`of ${of.name ?? of.family} returns the same text embeddings`, async () => {
      const saved = await saveAndExport(engine, of, 'contrastive', {}, root)
      const embed = await open('feature-extraction', saved.folder)
      const theirs = await embed(TEXTS, { pooling: 'mean', normalize: true })
      for (const [i, text] of TEXTS.entries()) {
        const { vector } = await compute(saved, text, (params, inputs) => {
          const { lastHiddenState } = saved.model.forward(params, inputs, { training: false })
          const pooled = meanPool(lastHiddenState, inputs.attentionMask)
          return { vector: div(pooled, norm(pooled)) }
        })
        assertClose(theirs[i].data, vector.values)
      }
      await embed.dispose()
    })
})

/** Greedy texts of Attune. @param {any} saved @param {readonly (string | readonly number[])[]} [prompts] */
async function written(saved, prompts = TEXTS) {
  const writer = generator({ ...saved, engine })
  const events = await lastValueFrom(writer.generate(prompts, { maximumNewTokens: NEW_TOKENS }).pipe(toArray()))
  writer.close()
  const finished = events.flatMap((event) => (event.type === 'finished' ? [event] : []))
  return finished.sort((a, b) => a.row - b.row)
}

describe('text generation', () => {
  for (const of of FAMILIES.decoders)
    it(`of ${of.name ?? of.family} generates the same texts, alone and in a batch`, async () => {
      const saved = await saveAndExport(engine, of, 'causal-language-modeling', {}, root)
      assert.deepEqual(saved.files, ['onnx/model.onnx', 'generation_config.json'])
      const write = await open('text-generation', saved.folder)
      const ours = (await written(saved)).map(({ text }) => text)
      const how = { max_new_tokens: NEW_TOKENS, do_sample: false, return_full_text: false }
      for (const [i, text] of TEXTS.entries()) assert.equal((await write(text, how))[0].generated_text, ours[i])
      const together = await write(TEXTS, how)
      assert.deepEqual(
        together.map((/** @type {any} */ [{ generated_text: text }]) => text),
        ours,
      )
      await write.dispose()
    })
})

describe('text-to-text generation', () => {
  for (const of of FAMILIES.encoderDecoders)
    for (const task of ['text2text-generation', 'summarization'])
      it(`of ${of.name ?? of.family} as ${task} generates the same texts, alone and in a batch`, async () => {
        const saved = await saveAndExport(engine, of, 'sequence-to-sequence', {}, root)
        assert.deepEqual(readdirSync(join(saved.folder, 'onnx')).sort(), [
          'decoder_model_merged.onnx',
          'encoder_model.onnx',
        ])
        const write = await open(task, saved.folder)
        const key = task === 'summarization' ? 'summary_text' : 'generated_text'
        // A pipeline reads a text as the tokenizer encodes it; Attune appends the end token of training where the template has none.
        const prompts = TEXTS.map((text) => saved.tokenizer.encode(text).ids)
        const ours = (await written(saved, prompts)).map(({ text }) => text)
        const how = { max_new_tokens: NEW_TOKENS, do_sample: false }
        for (const [i, text] of TEXTS.entries()) assert.equal((await write(text, how))[0][key], ours[i])
        assert.deepEqual(
          (await write(TEXTS, how)).map((/** @type {any} */ each) => each[key]),
          ours,
        )
        await write.dispose()
      })
})
