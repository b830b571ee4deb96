// @ts-check
/**
 * transformers opens an ELECTRA that Attune pretrained by replaced token detection: the saved discriminator as ElectraForPreTraining, and
 * the generator, whose parameters are saved with it, as ElectraForMaskedLM, with the same logits. Runs if python3 or the Python named by the
 * environment variable PYTHON has transformers.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { MODEL, userSpecifier } from '@attune/core'
import { detectionHead, detectionLogits, headFor, maskedLogits, withoutPrefix } from '@attune/nn'
import { findPlugin } from '@attune/resolve'
import { loadPretrained, run } from '@attune/trainer/node'
import { lastValueFrom } from 'rxjs'
import { root } from './measure-model.mjs'
import { pythonWith } from './python.mjs'

const { python, absent } = pythonWith('transformers')
const search = { folders: [root] }
const folder = mkdtempSync(join(tmpdir(), 'attune-electra-'))
after(() => rmSync(folder, { recursive: true }))

const common = { embeddingSize: 8, numHiddenLayers: 1, maxPositionEmbeddings: 24, initializerRange: 0.3 }
const small = { ...common, hiddenSize: 4, numAttentionHeads: 1, intermediateSize: 12 }
const electra = (await findPlugin(MODEL, userSpecifier('electra'), search)).plugin
const objective = { use: 'replaced-token-detection', generator: { use: 'electra', ...small } }

/** Trains an epoch. @returns the folder of the run */
async function trained() {
  const path = join(folder, 'texts.jsonl')
  const texts = ['the quick brown fox', 'jumps over the lazy dog', 'a fox and a dog', 'the dog jumps']
  writeFileSync(path, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''))
  const directory = join(folder, 'run')
  const config = {
    directory,
    data: { train: { use: 'jsonl', path }, validation: { use: 'jsonl', path } },
    tokenizer: { use: 'wordpiece', vocabularySize: 100 },
    model: { use: 'electra', ...common, hiddenSize: 16, numAttentionHeads: 2, intermediateSize: 24 },
    objective,
    engine: 'tfjs-cpu',
    training: { epochs: 2, batchSize: 2, learningRate: 0.01 },
  }
  await lastValueFrom(run(/** @type {any} */ (config), { searchPaths: search }))
  return directory
}

describe('an ELECTRA that Attune pretrained', () => {
  it(
    'is opened by transformers, discriminator and generator, with the same logits',
    { skip: python === undefined && absent },
    async () => {
      const directory = await trained()
      const { engine, model, tokenizer, params, close } = await loadPretrained(
        directory,
        () => /** @type {any} */ ({ ...objective, generator: { ...objective.generator, use: electra } }),
        search,
      )
      const generator = electra({ ...small, vocabSize: tokenizer.vocabularySize })
      const ids = Array.from(tokenizer.encode('the lazy fox jumps').ids)
      const array = (/** @type {readonly number[]} */ values) => ({
        shape: [1, values.length],
        dtype: /** @type {const} */ ('int32'),
        values: Int32Array.from(values),
      })
      const inputs = {
        inputIds: array(ids),
        attentionMask: array(ids.map(() => 1)),
        tokenTypeIds: array(ids.map(() => 0)),
      }
      const compute = engine.compile((/** @type {any} */ all, /** @type {any} */ given) => {
        const mode = /** @type {const} */ ({ training: false })
        const own = { ...all, ...withoutPrefix(all, 'generator.') }
        const states = model.forward(all, given, mode).lastHiddenState
        const masked = generator.forward(own, given, mode).lastHiddenState
        const head = headFor(generator, 'masked-language-modeling')
        const rows = masked.reshape([ids.length, -1])
        return {
          discriminator: detectionLogits(detectionHead(model), all, states),
          generator: maskedLogits(generator, head, own, rows),
        }
      })
      const found = /** @type {any} */ (await engine.read(compute(params, /** @type {any} */ (engine.put(inputs)))))
      await close()
      const script = join(import.meta.dirname, 'electra_loads.py')
      const args = [script, join(directory, 'model'), JSON.stringify(generator.config), JSON.stringify(ids)]
      const out = execFileSync(String(python), args, { encoding: 'utf8' })
      const theirs = /** @type {number[][]} */ (JSON.parse(out.trim().split('\n').at(-1) ?? ''))
      for (const [i, name] of ['discriminator', 'generator'].entries()) {
        const [own, expected] = [Array.from(found[name].values, Number), theirs[i] ?? []]
        assert.equal(own.length, expected.length)
        const apart = Math.max(...own.map((x, at) => Math.abs(x - Number(expected[at]))))
        assert.ok(apart <= 1e-5, `logits of the ${name} differ by ${apart}`)
      }
    },
  )
})
