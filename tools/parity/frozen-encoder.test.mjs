// @ts-check
/**
 * A multilayer perceptron on the output of a frozen encoder: trained, saved, used for prediction, resumed, and used as a starting point.
 * Compared with the encoder and the layers computed separately.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ENGINE, MODEL, TOKENIZER, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { decodeSafetensors, optionsFromConfig } from '@attune/weights'
import { evaluateRun, openPredictor, resume, run } from '@attune/trainer/node'
import { modelFor } from '../../packages/trainer/dist/files/saved-plugin.js'
import { Subject, lastValueFrom, tap, toArray } from 'rxjs'
import { rows } from './animals-and-tools.mjs'

/** @import { Engine, HostArray, Model, RunEvent, Tokenizer } from '@attune/core' */

const root = fileURLToPath(new URL('../..', import.meta.url))
const search = { folders: [root] }
const folder = mkdtempSync(join(tmpdir(), 'attune-encoder-'))
after(() => rmSync(folder, { recursive: true }))

const data = { use: 'jsonl', path: join(folder, 'rows.jsonl') }
const ENCODER = join(folder, 'bert', 'model')
const encoder = { use: 'bert', from: ENCODER }

const configOf = (/** @type {string} */ name, /** @type {object} */ model, /** @type {object} */ more = {}) =>
  /** @type {any} */ ({
    seed: 3,
    directory: join(folder, name),
    data: { train: data, validation: data },
    tokenizer: { use: 'wordpiece', path: ENCODER },
    model,
    objective: 'sequence-classification',
    engine: 'tfjs-cpu',
    training: { epochs: 2, batchSize: 5, learningRate: 0.01 },
    ...more,
  })

/** @returns {Promise<RunEvent[]>} */
const train = (/** @type {any} */ config) => lastValueFrom(run(config, { searchPaths: search }).pipe(toArray()))

/** @returns {Record<string, HostArray>} */
const weightsIn = (/** @type {string} */ name) => {
  const file = join(folder, name, 'model/model.safetensors')
  return decodeSafetensors(readFileSync(file), file).tensors
}

/** The parameters of a saved perceptron other than the encoder's. */
const layersIn = (/** @type {string} */ name) =>
  Object.entries(weightsIn(name)).filter(([each]) => !each.startsWith('mlp.encoder.'))

before(async () => {
  writeFileSync(join(folder, 'rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const small = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 12 }
  const tokenizer = { use: 'wordpiece', vocabularySize: 120 }
  await train(configOf('bert', { use: 'bert', ...small, maxPositionEmbeddings: 32 }, { tokenizer }))
})

/** Computes the label probabilities of a text from the encoder and the layers separately. */
async function reference(
  /** @type {string} */ name,
  /** @type {'mean' | 'pooled'} */ input,
  /** @type {string} */ text,
) {
  const json = JSON.parse(readFileSync(join(ENCODER, 'config.json'), 'utf8'))
  const bert = (await findPlugin(MODEL, userSpecifier('bert'), search)).plugin
  /** @type {Model} */
  const model = bert(optionsFromConfig(bert.options, json))
  /** @type {Tokenizer} */
  const tokenizer = (await findPlugin(TOKENIZER, userSpecifier('wordpiece'), search)).plugin({ path: ENCODER })
  /** @type {Engine} */
  const engine = (await findPlugin(ENGINE, userSpecifier('tfjs-cpu'), search)).plugin()
  await engine.start()
  const { ids } = tokenizer.encode(text)
  const int = (/** @type {number[]} */ values) =>
    /** @type {HostArray} */ ({ shape: [1, values.length], dtype: 'int32', values: Int32Array.from(values) })
  const given = { inputIds: int([...ids]), attentionMask: int(ids.map(() => 1)), tokenTypeIds: int(ids.map(() => 0)) }
  const forward = engine.compile((/** @type {any} */ p, /** @type {any} */ inputs) =>
    model.forward(p, inputs, { training: false }),
  )
  const outputs = /** @type {any} */ (
    await engine.read(/** @type {any} */ (forward(engine.put(weightsIn('bert')), engine.put(given))))
  )
  await engine.close()
  const states = /** @type {Float32Array} */ (outputs.lastHiddenState.values)
  const mean = Array.from(
    { length: 8 },
    (_, i) => ids.reduce((sum, _id, at) => sum + states[at * 8 + i], 0) / ids.length,
  )
  const saved = weightsIn(name)
  const dense = (/** @type {number[]} */ x, /** @type {string} */ layer) => {
    const [weight, bias] = [saved[`${layer}.weight`], saved[`${layer}.bias`]]
    return Array.from(bias.values, (b, out) =>
      x.reduce((sum, one, at) => sum + one * weight.values[out * x.length + at], b),
    )
  }
  let x = input === 'mean' ? mean : [...outputs.pooled.values]
  for (const i of [0, 1]) x = dense(x, `mlp.layers.${i}`).map((one) => Math.max(0, one))
  const logits = dense(x, 'classifier').map(Math.exp)
  return logits.map((one) => one / logits.reduce((sum, each) => sum + each, 0))
}

for (const input of /** @type {const} */ (['mean', 'pooled']))
  describe(`a perceptron on BERT, ${input}`, () => {
    const model = { use: 'mlp', input, hiddenSizes: [7, 6], encoder }
    /** @type {RunEvent[]} */
    let events
    before(async () => {
      events = await train(configOf(input, model))
    })

    it('saves the encoder bit for bit unchanged, with the trained layers', () => {
      const saved = weightsIn(input)
      for (const [name, { values }] of Object.entries(weightsIn('bert')))
        if (name.startsWith('bert.')) assert.deepEqual(saved[`mlp.encoder.${name}`].values, values, name)
      const started = events.find(({ type }) => type === 'run.started')
      const trainable = layersIn(input).reduce((sum, [, { values }]) => sum + values.length, 0)
      assert.equal(started?.type === 'run.started' && started.trainableParameters, trainable)
      assert.equal(trainable, 7 * 8 + 7 + 6 * 7 + 6 + 2 * 6 + 2)
    })

    it('lowers the loss', () => {
      const losses = events.flatMap((event) => (event.type === 'evaluation.completed' ? [event.scores.loss.value] : []))
      assert.ok(losses[1] < losses[0], String(losses))
    })

    it('predicts from its folder the same probabilities as encoder and layers computed separately', async () => {
      const predictor = await openPredictor(join(folder, input), { searchPaths: search })
      const texts = ['the dog sings', 'a linker emits']
      let at = 0
      for (const { scores } of /** @type {any[]} */ (await predictor.predict(texts.map((text) => ({ text }))))) {
        const expected = await reference(input, input, texts[at++])
        for (const [i, score] of Object.values(/** @type {any} */ (scores)).entries())
          assert.ok(Math.abs(Number(score) - expected[i]) < 1e-5, `expected ${expected[i]}, got ${score}`)
      }
      assert.equal(at, 2)
      await predictor.close()
    })

    it('evaluates from its folder as at the end of training, and is described by its config.json alone', async () => {
      const { scores } = await evaluateRun(join(folder, input), { split: 'validation', searchPaths: search })
      const last = events.filter(({ type }) => type === 'evaluation.completed').at(-1)
      assert.deepEqual(last?.type === 'evaluation.completed' && last.scores, scores)
      const json = JSON.parse(readFileSync(join(folder, input, 'model/config.json'), 'utf8'))
      const { model: described } = await modelFor(json, folder, search)
      assert.equal(described.encoder?.reads, input === 'mean' ? 'lastHiddenState' : 'pooled')
      assert.deepEqual(described.encoder?.model.config, json.encoder)
    })

    it('can be the pretrained model of a run, with the encoder included', async () => {
      const from = { use: 'mlp', from: join(folder, input, 'model') }
      await train(configOf(`${input}-on`, from, { training: { epochs: 1, batchSize: 10, learningRate: 1e-30 } }))
      const [trained, again] = [weightsIn(input), weightsIn(`${input}-on`)]
      assert.deepEqual(Object.keys(again), Object.keys(trained))
      for (const [name, { values }] of Object.entries(trained))
        for (const [i, x] of values.entries()) assert.ok(Math.abs(again[name].values[i] - x) < 1e-20, `${name} ${i}`)
      assert.ok(
        (await evaluateRun(join(folder, `${input}-on`), { split: 'validation', searchPaths: search })).scores.loss
          .value > 0,
      )
    })
  })

it('predicts from its folder after the encoder folder was removed', async () => {
  const elsewhere = join(folder, 'elsewhere')
  cpSync(join(folder, 'bert'), elsewhere, { recursive: true })
  const from = join(elsewhere, 'model')
  await train(configOf('first', { use: 'mlp', hiddenSizes: [5], encoder: { use: 'bert', from } }))
  await train(configOf('second', { use: 'mlp', from: join(folder, 'first', 'model') }))
  await train(configOf('third', { use: 'bert', from }))
  rmSync(elsewhere, { recursive: true })
  const loss = async (/** @type {string} */ name) =>
    (await evaluateRun(join(folder, name), { split: 'validation', searchPaths: search })).scores
  const scores = await loss('first')
  assert.ok((await loss('second')).loss.value < scores.loss.value)
  assert.ok((await loss('third')).loss.value > 0)
  rmSync(join(folder, 'first'), { recursive: true })
  assert.ok((await loss('second')).loss.value < scores.loss.value)
})

describe('a run with a frozen encoder', () => {
  const model = { use: 'mlp', hiddenSizes: [7, 6], encoder }

  it('ends with the same weights after an interruption', async () => {
    /** @type {Subject<any>} */
    const commands = new Subject()
    const stop = (/** @type {RunEvent} */ event) => {
      if (event.type === 'step.completed' && event.step === 3) commands.next({ type: 'stop', because: 'a test' })
    }
    await lastValueFrom(run(configOf('parts', model), { searchPaths: search, commands }).pipe(tap(stop)))
    await lastValueFrom(resume(join(folder, 'parts'), { searchPaths: search }))
    assert.deepEqual(weightsIn('parts'), weightsIn('mean'))
  })

  it('computes the same on the compiled engine', async () => {
    await train(configOf('compiled', model, { engine: 'onnxruntime' }))
    const expected = weightsIn('mean')
    for (const [name, { values }] of Object.entries(weightsIn('compiled')))
      values.forEach((value, i) => assert.ok(Math.abs(value - Number(expected[name].values[i])) < 1e-4, name))
  })

  it('can be combined with an adapter that freezes more layers', async () => {
    const adapter = { use: 'frozen-layers', count: 2 }
    const [{ ...started }] = (await train(configOf('more', model, { adapter }))).filter(
      ({ type }) => type === 'run.started',
    )
    assert.equal(started.type === 'run.started' && started.trainableParameters, 6 * 7 + 6 + 2 * 6 + 2)
  })

  it('rejects invalid options', async () => {
    const rejects = (/** @type {object} */ wrong, /** @type {object} */ expected) =>
      assert.rejects(train(configOf('refused', wrong)), expected)
    await rejects(
      { use: 'mlp', encoder: { use: 'bert' } },
      { code: 'BAD_OPTIONS', problem: /to start from a complete saved model/ },
    )
    await rejects({ use: 'mlp', encoder: { ...encoder, partial: true } }, { code: 'BAD_OPTIONS' })
    await rejects({ use: 'mlp', encoder: 3 }, { code: 'BAD_OPTIONS', problem: /expected a model in `encoder`/ })
    await rejects({ use: 'mlp', from: ENCODER, encoder }, { code: 'BAD_OPTIONS', problem: /`from` and `encoder`/ })
    await rejects({ use: 'mlp', embeddings: 'v.txt', encoder }, { code: 'BAD_OPTIONS', problem: /`encoder` and/ })
    await rejects({ use: 'mlp', encoder: { ...encoder, use: 'gpt2' } }, { code: 'WRONG_MODEL_TYPE' })
    await rejects({ use: 'mlp', encoder: { ...encoder, hiddenSize: 6 } }, { code: 'SHAPE_MISMATCH' })
    await rejects({ use: 'lstm', encoder }, { code: 'BAD_CONFIG', problem: /unknown `encoder`/ })
  })
})
