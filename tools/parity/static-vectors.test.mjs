// @ts-check
/**
 * Word vectors as the embedding layer of models: trained, written to a file, set in a run's configuration, and compared value for value with
 * the initial weights of the run.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { TOKENIZER, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { readWordVectors, trainWord2Vec, writeWordVectors } from '@attune/embeddings'
import { decodeSafetensors } from '@attune/weights'
import { openPredictor, run } from '@attune/trainer/node'
import { lastValueFrom, toArray } from 'rxjs'
import { ANIMALS, rows } from './animals-and-tools.mjs'

/** @import { RunEvent, Tokenizer } from '@attune/core' */
/** @import { WordVectors } from '@attune/embeddings' */

const root = fileURLToPath(new URL('../..', import.meta.url))
const options = { searchPaths: { folders: [root] } }
const folder = mkdtempSync(join(tmpdir(), 'attune-vectors-'))
const SIZE = 6

/** Vectors for the animal words and an unused one; the tool words have none. @type {WordVectors} */
let vectors
before(async () => {
  const corpus = () => [...ANIMALS, 'unheard of'].map((text) => text.split(' '))
  const events = trainWord2Vec(corpus, { size: SIZE, epochs: 5, minimumCount: 1, window: 2, seed: 1 })
  const last = await lastValueFrom(events)
  if (last.type !== 'training.completed') throw new Error('training did not complete')
  await writeWordVectors(join(folder, 'vectors.txt'), last.vectors)
  writeFileSync(join(folder, 'vectors.txt.gz'), gzipSync(readFileSync(join(folder, 'vectors.txt'))))
  vectors = await readWordVectors(join(folder, 'vectors.txt.gz'))
  writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
})
after(() => rmSync(folder, { recursive: true }))

/** @type {Record<string, object>} */
const MODELS = {
  lstm: { embeddingSize: SIZE, hiddenSize: 4, architecture: 'encoder' },
  mlp: { embeddingSize: SIZE, hiddenSizes: [5] },
  'hierarchical-attention': { embeddingSize: SIZE, hiddenSize: 4, sentenceLength: 4 },
  graph: { embeddingSize: SIZE, hiddenSize: 4, numAttentionHeads: 2 },
}

let runs = 0
/** Trains for one epoch, by default at a learning rate so low that no weight changes. */
async function trained(/** @type {object} */ model, /** @type {object} */ more = {}, learningRate = 1e-30) {
  const directory = join(folder, String(runs++))
  const config = {
    seed: 3,
    directory,
    data: { train: { use: 'jsonl', path: 'rows.jsonl' }, validation: { use: 'jsonl', path: 'rows.jsonl' } },
    tokenizer: 'word',
    model,
    objective: 'sequence-classification',
    engine: 'tfjs-cpu',
    training: { epochs: 1, batchSize: 10, learningRate },
    ...more,
  }
  /** @type {RunEvent[]} */
  const events = await lastValueFrom(
    run(/** @type {any} */ (config), { ...options, baseDirectory: folder }).pipe(toArray()),
  )
  const { tensors } = decodeSafetensors(readFileSync(join(directory, 'model/model.safetensors')), 'model')
  const [name = ''] = Object.keys(tensors).filter((each) => /embedding.*weight$/.test(each))
  const word = (await findPlugin(TOKENIZER, userSpecifier('word'), options.searchPaths)).plugin
  /** @type {Tokenizer} */
  const tokenizer = word({ path: join(directory, 'model') })
  const { values } = /** @type {{ values: Float32Array }} */ (tensors[name])
  const row = (/** @type {number} */ id) => [...values.subarray(id * SIZE, (id + 1) * SIZE)]
  return { events, directory, tensors, name, tokenizer, row }
}

/** Vector of a word in the file. @param {string} word */
const vectorOf = (word) => {
  const at = vectors.rows.get(word)
  return at === undefined ? undefined : [...vectors.values.subarray(at * SIZE, (at + 1) * SIZE)]
}

/** Tokens whose rows must equal the file's vectors, and tokens whose rows must not. @param {Tokenizer} tokenizer */
function divided(tokenizer) {
  const tokens = Array.from({ length: tokenizer.vocabularySize }, (_, id) => ({ id, word: tokenizer.token(id) ?? '' }))
  const known = tokens.filter(({ word }) => vectors.rows.has(word))
  return { known, others: tokens.filter(({ word }) => !vectors.rows.has(word)) }
}

for (const [use, sizes] of Object.entries(MODELS))
  describe(use, () => {
    it('starts with the vectors of the file, and with random initialization for other tokens', async () => {
      const plain = await trained({ use, ...sizes })
      const { events, tokenizer, row } = await trained({ use, ...sizes, embeddings: 'vectors.txt.gz' })
      const { known, others } = divided(tokenizer)
      assert.ok(known.length >= 10 && others.length >= 10, `${known.length} known, ${others.length} not`)
      for (const { id, word } of known) assert.deepEqual(row(id), vectorOf(word), word)
      for (const { id, word } of others) assert.deepEqual(row(id), plain.row(id), word)
      const loaded = events.filter(({ type }) => type === 'vectors.loaded')
      const path = join(folder, 'vectors.txt.gz')
      const expected = { type: 'vectors.loaded', path, found: known.length, tokens: tokenizer.vocabularySize }
      assert.deepEqual(loaded, [{ ...expected, at: loaded[0]?.at }])
    })

    it('trains the vectors unless they are frozen, and predicts from its folder without the file', async () => {
      const file = join(folder, `of-${use}.txt`)
      writeFileSync(file, readFileSync(join(folder, 'vectors.txt')))
      const frozen = { adapter: { use: 'frozen-layers', count: 1 } }
      const kept = await trained({ use, ...sizes, embeddings: file }, frozen, 0.05)
      const moved = await trained({ use, ...sizes, embeddings: file }, {}, 0.05)
      for (const { id, word } of divided(kept.tokenizer).known) {
        assert.deepEqual(kept.row(id), vectorOf(word), word)
        if (rows.some(({ text = '' }) => text.split(' ').includes(word)))
          assert.notDeepEqual(moved.row(id), vectorOf(word), word)
      }
      rmSync(file)
      const predictor = await openPredictor(kept.directory, options)
      for (const { label } of /** @type {any[]} */ (await predictor.predict([{ text: 'a dog barks' }])))
        assert.match(String(label), /animal|tool/)
      await predictor.close()
    })
  })

describe('a word-vector file that does not match', () => {
  const rejects = (/** @type {object} */ model, /** @type {object} */ more = {}) =>
    trained({ use: 'mlp', hiddenSizes: [5], embeddings: 'vectors.txt.gz', ...model }, more)

  it('is rejected with a remedy', async () => {
    await assert.rejects(rejects({ embeddingSize: 7 }), { code: 'VECTORS_MISMATCH', remedy: /embeddingSize: 6/ })
    await assert.rejects(rejects({ embeddingSize: SIZE, embeddings: 'none.txt' }), { code: 'FILE_NOT_FOUND' })
    await assert.rejects(rejects({ embeddings: 3 }), { code: 'BAD_OPTIONS' })
    await assert.rejects(rejects({ from: 'somewhere' }), { code: 'BAD_OPTIONS', problem: /`from` and `embeddings`/ })
    writeFileSync(join(folder, 'other.txt'), '1 6\nchatte 1 2 3 4 5 6\n')
    const other = rejects({ embeddingSize: SIZE, embeddings: 'other.txt' })
    await assert.rejects(other, { code: 'VECTORS_MISMATCH', problem: /none of the .* tokens of the tokenizer/ })
  })
})

it('initializes the embeddings on the compiled engine as well', async () => {
  const model = { use: 'mlp', hiddenSizes: [5], embeddingSize: SIZE, embeddings: 'vectors.txt.gz' }
  const { tokenizer, row } = await trained(model, { engine: 'onnxruntime' })
  for (const { id, word } of divided(tokenizer).known) assert.deepEqual(row(id), vectorOf(word), word)
})
