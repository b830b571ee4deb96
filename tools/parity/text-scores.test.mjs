// @ts-check
/**
 * Log-likelihoods of texts by tiny language models against transformers: causal models with overlapping windows, encoder–decoders, and
 * pseudo-log-likelihoods of masked models. Golden values from tools/golden/text_scores.py.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, userSpecifier } from '@attune/core'
import { corpusScore, textScorer } from '@attune/trainer'
import { findPlugin } from '@attune/resolve'
import { readCase, root } from './measure-model.mjs'

/** @import { Engine } from '@attune/core' */
/** @typedef {{ ids: number[], target?: number[], stride?: number, limit?: number, scores: number[] }} Golden */

const golden = JSON.parse(readFileSync(join(root, 'tools/parity/golden/text-scores.json'), 'utf8'))
const CASES = /** @type {const} */ ([
  ['causal', 'model-gpt2/golden/lm', 'causal-language-modeling'],
  ['seq2seq', 'model-t5/golden/t5', 'sequence-to-sequence'],
  ['masked', 'model-bert/golden/masked', 'masked-language-modeling'],
])
const [CLS, SEP] = [3, 4]

/** @param {readonly number[]} ids @param {readonly number[]} specialMask */
const encoding = (ids, specialMask) => ({
  ids,
  specialMask,
  typeIds: ids.map(() => 0),
  offsets: ids.map((id) => [0, String(id).length]),
  truncated: false,
})

/** Tokenizer of texts that are lists of ids; with [CLS], [SEP] and overlapping windows if there is a maximum length. */
const tokenizerOf = (/** @type {boolean} */ isMasked) => ({
  special: { pad: 0, mask: 1 },
  token: String,
  encode(/** @type {string} */ text, /** @type {{ maximumLength?: number, stride?: number }} */ options = {}) {
    const ids = text === '' ? [] : text.split(' ').map(Number)
    if (!isMasked) return encoding(ids, [])
    const { maximumLength = Infinity, stride = 0 } = options
    const room = maximumLength - 2
    const windows = []
    for (let begin = 0; begin === 0 || begin + stride < ids.length; begin += room - stride) {
      const part = ids.slice(begin, begin + room)
      windows.push(encoding([CLS, ...part, SEP], [1, ...part.map(() => 0), 1]))
    }
    const [first, ...overflowing] = windows
    return { ...first, overflowing }
  },
})

for (const name of ['tfjs-cpu', 'onnxruntime']) {
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier(name), { folders: [root] })).plugin()
  describe(`log-likelihoods on engine ${name} against ${golden.source}`, () => {
    before(() => engine.start())
    after(() => engine.close())
    for (const [kind, folder, task] of CASES)
      it(`match of a ${kind} model within 1e-5 per token`, async () => {
        const { model, objective, weights } = await readCase(join(root, 'plugins', folder))
        const params = engine.put(weights)
        const live = engine.live()
        for (const { ids, target, stride, limit, scores } of /** @type {Golden[]} */ (golden[kind])) {
          const bounded = limit === undefined ? model : { ...model, maximumLength: limit }
          const read = {
            ...objective,
            encode: () => ({ ids, target, length: ids.length, truncated: false }),
            maximumLength: model.maximumLength,
          }
          const language = { model: bounded, params, objective: read, task, tokenizer: tokenizerOf(kind === 'masked') }
          const scorer = textScorer(engine, /** @type {any} */ (language), { stride, batchSize: 5 })
          const example = { text: ids.join(' '), target: 'é' }
          const [found] = await scorer.score([example])
          assert.ok(found)
          scorer.dispose()
          assert.equal(found.tokens.length, scores.length)
          for (const [i, { logProbability }] of found.tokens.entries())
            assert.ok(Math.abs(logProbability - (scores[i] ?? NaN)) < 1e-5, `${i}: ${logProbability}, ${scores[i]}`)
          const sum = scores.reduce((a, b) => a + b, 0)
          const { perplexity, tokens, bitsPerByte, bytes } = corpusScore([found, found])
          assert.equal(tokens, 2 * scores.length)
          const first = String(ids[0] ?? '').length
          assert.equal(
            bytes,
            2 * { causal: example.text.length - first, seq2seq: 2, masked: example.text.length }[kind],
          )
          if (tokens > 0) assert.ok(Math.abs((bitsPerByte ?? NaN) + (2 * sum) / Math.LN2 / bytes) < 1e-4 * -sum)
          if (tokens === 0) assert.equal(perplexity, undefined)
          else {
            const expected = Math.exp(-sum / scores.length)
            assert.ok(Math.abs((perplexity ?? NaN) - expected) < 1e-4 * expected, `${perplexity}, ${expected}`)
          }
        }
        assert.equal(engine.live(), live)
        engine.release(params)
      })
  })
}

describe('textScorer', () => {
  it('rejects a stride that leaves the first token of a window without context', async () => {
    const { model, objective } = await readCase(join(root, 'plugins/model-gpt2/golden/lm'))
    const language = { model, objective, params: {}, tokenizer: tokenizerOf(false), task: 'causal-language-modeling' }
    const engine = /** @type {any} */ ({ compile: () => assert.fail() })
    for (const stride of [0, 32, 1.5])
      assert.throws(() => textScorer(engine, /** @type {any} */ (language), { stride }), /a stride of 1 to 31 tokens/)
  })
})
