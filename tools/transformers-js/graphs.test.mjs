// @ts-check
/**
 * Exported graphs in ONNX Runtime match the logits of the Python transformers library on the golden cases of every architecture, with any
 * batch size and length, in one pass and token by token with a KV cache. Architectures that cannot be exported are refused by name.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { key } from '@attune/core'
import { writeGraphs } from '@attune/onnx'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { goldenCases, readCase } from '../parity/measure-model.mjs'
import { makeEngine } from './saved-models.mjs'

/** @import { Engine } from '@attune/core' */
/** @typedef {Record<string, any>} Feeds */

const TOLERANCE = 2e-5
const WRITERS = ['causal-language-modeling', 'sequence-to-sequence']

/** Cases without one graph for all lengths, by the reason. */
const REFUSED = [
  [/^model-lstm-(writer|rnn-writer|gru-writer)/, /instead of keys and values in its cache/],
  [/^model-(lstm|hierarchical-attention)-/, /operations depend on (sequence_length|batch_size)/],
  [/^model-transformer-/, /a constant .* has other values for other sizes/],
  [/^model-xlnet-(clamped|permuted)/, /got permutation-language-modeling/],
  [/-choices$/, /got multiple-choice/],
  [/-next-sentence$/, /got next-sentence-prediction/],
  [/-sentence-order$/, /got sentence-order-prediction/],
]

/** @type {Engine} */
const engine = await makeEngine()
const root = mkdtempSync(join(tmpdir(), 'attune-graphs-'))
before(() => engine.start())
after(async () => {
  await engine.close()
  rmSync(root, { recursive: true })
})

const cases = goldenCases().map((folder) => ({
  folder,
  name: `${basename(dirname(dirname(folder)))}-${basename(folder)}`,
}))

/** @param {string} folder @param {string} name */
async function exported(folder, name) {
  const { model, golden, weights } = await readCase(folder)
  // Weights that the checkpoint lacks, such as an unused pooler, are new.
  const fresh = engine.compile(() => model.init(key(1)))()
  const params = { ...fresh, .../** @type {any} */ (engine.put(weights)) }
  const into = join(root, name)
  const files = writeGraphs({ model, params, task: golden.objective }, into)
  engine.release(params)
  const open = (/** @type {string} */ file) => InferenceSession.create(join(into, file), { logSeverityLevel: 3 })
  return { golden, files, sessions: await Promise.all(files.map(open)) }
}

/** @param {{ shape: readonly number[], values: ArrayLike<number> }} array */
const integers = ({ shape, values }) => new Tensor('int64', BigInt64Array.from(Array.from(values), BigInt), shape)

/** Columns `[from, to)` of `[rows, columns]`. @param {any} array @param {number} from @param {number} to */
const columns = ({ shape: [rows, width], values }, from, to) => ({
  shape: [rows, to - from],
  values: Array.from({ length: rows * (to - from) }, (_, i) => {
    const [row, column] = [Math.floor(i / (to - from)), i % (to - from)]
    return values[row * width + from + column]
  }),
})

/** Position ids 0, 1, … of each row. @param {readonly number[]} shape */
const positionsOf = ([rows = 0, length = 0]) => ({
  shape: [rows, length],
  values: Array.from({ length: rows * length }, (_, i) => i % length),
})

/** Inputs of the session among these. @param {InferenceSession} session @param {Feeds} feeds */
const only = (session, feeds) =>
  Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)))

/** Empty cache. @param {InferenceSession} session @param {number} rows @returns {Feeds} */
const emptyCache = (session, rows) =>
  Object.fromEntries(
    /** @type {any[]} */ (session.inputMetadata)
      .filter(({ name }) => name.startsWith('past_key_values.'))
      .map(({ name, shape }) => {
        const dimensions = shape.map((/** @type {number | string} */ each) =>
          typeof each === 'number' ? each : each === 'batch_size' ? rows : 0,
        )
        return [name, new Tensor('float32', new Float32Array(0), dimensions)]
      }),
  )

/** The cache after a run, as the inputs of the next one; keys and values of the encoder stay. @param {Feeds} results @param {Feeds} past */
const nextCache = (results, past) =>
  Object.fromEntries(
    Object.entries(results)
      .filter(([name]) => name.startsWith('present.'))
      .map(([name, each]) => {
        const own = name.replace('present.', 'past_key_values.')
        const isKept = name.includes('.encoder.') && past[own].dims[2] > 0
        return [own, isKept ? past[own] : each]
      }),
  )

/** Largest difference of logits `[rows, length, n]` at the tokens where `mask` is 1. @param {any} found @param {any} expected @param {ArrayLike<number>} mask */
function difference(found, expected, mask) {
  assert.deepEqual([...found.dims], [...expected.shape])
  const size = found.dims.at(-1)
  let most = 0
  found.data.forEach((/** @type {number} */ x, /** @type {number} */ i) => {
    if (mask[Math.floor(i / size)] === 1) most = Math.max(most, Math.abs(x - expected.values[i]))
  })
  return most
}

const assertClose = (/** @type {number} */ apart) =>
  assert.ok(apart < TOLERANCE, `expected a difference below ${TOLERANCE}, got ${apart}`)

const textFeeds = (/** @type {any} */ { inputIds, attentionMask, tokenTypeIds }) => ({
  input_ids: integers(inputIds),
  attention_mask: integers(attentionMask),
  token_type_ids: integers(tokenTypeIds),
})

/**
 * Logits of a decoder that reads `ids` in parts, each ending at one of `ends`, with the cache of the parts before.
 * @param {InferenceSession} session @param {any} ids @param {readonly number[]} ends @param {(from: number, to: number) => Feeds} feeds
 */
async function inParts(session, ids, ends, feeds) {
  const [rows, length] = ids.shape
  let [past, from] = [emptyCache(session, rows), 0]
  /** @type {any[]} */
  const parts = []
  for (const to of ends) {
    const own = { input_ids: integers(columns(ids, from, to)), ...feeds(from, to), ...past }
    const results = await session.run(only(session, own))
    parts.push({ from, logits: results['logits'] })
    ;[past, from] = [nextCache(results, past), to]
  }
  const size = parts[0].logits.dims[2]
  const data = new Float32Array(rows * length * size)
  for (const { from: first, logits } of parts)
    for (let row = 0; row < rows; row++) {
      const own = logits.data.subarray(row * logits.dims[1] * size, (row + 1) * logits.dims[1] * size)
      data.set(own, (row * length + first) * size)
    }
  return { dims: [rows, length, size], data }
}

/** Cases whose rotary positions depend on the length of the text, which a cache fixes for the tokens that it holds. */
const AT_ONCE = ['model-llama-dynamic', 'model-llama-longrope']

/** Ends of the parts: all at once, token by token, and several tokens after others. @param {number} length @param {string} name */
const partsOf = (length, name) => [
  [length],
  ...(AT_ONCE.includes(name) ? [] : [Array.from({ length }, (_, i) => i + 1), [3, 5, length]]),
]

for (const { folder, name } of cases) {
  const refused = REFUSED.find(([pattern]) => /** @type {RegExp} */ (pattern).test(name))
  if (refused !== undefined)
    it(`${name} is refused`, () =>
      assert.rejects(exported(folder, name), (/** @type {any} */ error) => {
        assert.equal(error.code, 'CANNOT_EXPORT')
        assert.match(error.problem, /** @type {RegExp} */ (refused[1]))
        return true
      }))
  else
    describe(name, () => {
      /** @type {Awaited<ReturnType<typeof exported>>} */
      let own
      before(async () => {
        own = await exported(folder, name)
      })
      after(() => Promise.all(own.sessions.map((session) => session.release())))
      it('matches transformers', async () => {
        const { golden, sessions } = own
        for (const { batch, logits } of golden.examples) {
          const { inputs } = batch
          if (golden.objective === 'sequence-to-sequence') await matchEncoderDecoder(sessions, inputs, logits, name)
          else if (WRITERS.includes(golden.objective)) await matchDecoder(sessions[0], inputs, logits, name)
          else await matchEncoder(sessions[0], batch, logits)
        }
      })
    })
}

/** Logits of starts and ends as one array, `[rows, length, 2]`. @param {Feeds} results */
function spanLogits({ start_logits: starts, end_logits: ends }) {
  const data = Float32Array.from({ length: 2 * starts.data.length }, (_, i) => (i % 2 ? ends : starts).data[i >> 1])
  return { dims: [...starts.dims, 2], data }
}

/** @param {any} session @param {any} batch @param {any} expected */
async function matchEncoder(session, { inputs, positions }, expected) {
  const results = await session.run(only(session, textFeeds(inputs)))
  const logits = results.logits ?? spanLogits(results)
  if (positions === undefined) {
    const mask = logits.dims.length === 2 ? Array(logits.dims[0]).fill(1) : inputs.attentionMask.values
    assertClose(difference(logits, expected, mask))
    return
  }
  const [rows, count] = positions.shape
  const [, length, size] = logits.dims
  const data = Float32Array.from({ length: rows * count * size }, (_, i) => {
    const [at, column] = [Math.floor(i / size), i % size]
    return logits.data[(Math.floor(at / count) * length + positions.values[at]) * size + column]
  })
  assertClose(difference({ dims: [rows, count, size], data }, expected, Array(rows * count).fill(1)))
}

/** @param {any} session @param {any} inputs @param {any} expected @param {string} name */
async function matchDecoder(session, { inputIds, attentionMask }, expected, name) {
  const positions = positionsOf(inputIds.shape)
  for (const ends of partsOf(inputIds.shape[1], name)) {
    const found = await inParts(session, inputIds, ends, (from, to) => ({
      attention_mask: integers(columns(attentionMask, 0, to)),
      position_ids: integers(columns(positions, from, to)),
    }))
    assertClose(difference(found, expected, attentionMask.values))
  }
}

/** @param {any} sessions @param {any} inputs @param {any} expected @param {string} name */
async function matchEncoderDecoder([encoder, decoder], inputs, expected, name) {
  const { last_hidden_state: states } = await encoder.run(only(encoder, textFeeds(inputs)))
  const { decoderInputIds: ids, decoderAttentionMask: mask } = inputs
  for (const ends of partsOf(ids.shape[1], name)) {
    const found = await inParts(decoder, ids, ends, (from) => ({
      encoder_attention_mask: integers(inputs.attentionMask),
      encoder_hidden_states: states,
      use_cache_branch: new Tensor('bool', [from > 0], [1]),
    }))
    assertClose(difference(found, expected, mask.values))
  }
}
