// @ts-check
/**
 * Five training steps as in a run (the trainer's step, gradient clipping, AdamW) on the compiled engine and on TF.js in JavaScript, for every
 * golden case: each architecture with each of its objectives, with and without dropout. Dropout masks derive from seeds, so both engines
 * must drop the same entries.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ENGINE, MODEL, OBJECTIVE, OPTIMIZER, key, mapParams, stream, userSpecifier } from '@attune/core'
import { findPlugin } from '@attune/resolve'
import { chain, clipByGlobalNorm, stopGradient } from '@attune/nn'
import { rewardFunction } from '@attune/text'
import { range, scalar as tensorScalar } from '@tensorflow/tfjs-core'
import { trainingStep } from '@attune/trainer'
import { optionsFromConfig } from '@attune/weights'
import { goldenCases, hostTree, readCase, root } from './measure-model.mjs'

/** @import { Engine, HostArray, Optimizer } from '@attune/core' */
/** @import { Case } from './measure-model.mjs' */

const STEPS = 5
const DROPOUT = 0.15
const TOLERANCE = 1e-4

/** @type {Engine} */
const eager = (await findPlugin(ENGINE, userSpecifier('tfjs-cpu'), { folders: [root] })).plugin()
/** @type {Engine} */
const compiled = (await findPlugin(ENGINE, userSpecifier('onnxruntime'), { folders: [root] })).plugin()
before(async () => {
  await eager.start()
  await compiled.start()
})
after(async () => {
  await eager.close()
  await compiled.close()
})

// For gradients that are only rounding errors, such as that of a bias before a softmax, an epsilon of 1e-8 would let rounding determine the
// direction of the update.
/** @type {Optimizer} */
const adamw = (await findPlugin(OPTIMIZER, userSpecifier('adamw'), { folders: [root] })).plugin({ epsilon: 1e-6 })
const optimizer = chain(clipByGlobalNorm(1), adamw)

/** Enables every dropout option of a model. */
const allDropout = (/** @type {readonly string[]} */ names) =>
  Object.fromEntries(names.filter((name) => /dropout|pdrop/i.test(name)).map((name) => [name, DROPOUT]))

/** @returns {any} */
const scalar = (/** @type {number} */ value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })

/** All weights of a case: those of the golden file, and random ones for parameters that its checkpoint lacks. */
async function weightsOf(/** @type {Case} */ { model, objective, weights }) {
  const fresh = eager.compile(() => ({ ...model.init(key(1)), ...objective.init(key(2)) }))()
  const all = { .../** @type {Record<string, HostArray>} */ (await eager.read(fresh)), ...weights }
  eager.release(fresh)
  return all
}

/** Losses, gradient norms, and final weights. @returns {Promise<any>} */
async function train(
  /** @type {Case} */ { model, objective, golden },
  /** @type {Engine} */ engine,
  /** @type {Record<string, HostArray>} */ weights,
  gradientCheckpointing = false,
) {
  const step = engine.compile(trainingStep({ model, objective, optimizer, gradientCheckpointing }), {
    donate: [0, 2, 3],
  })
  const live = engine.live()
  const trainable = /** @type {any} */ (engine.put(weights))
  /** @type {any} */
  let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
  const [losses, norms] = [/** @type {number[]} */ ([]), /** @type {number[]} */ ([])]
  for (let i = 0; i < STEPS; i++) {
    const batch = hostTree(golden.examples[i % golden.examples.length].batch)
    const seed = { shape: [2], dtype: 'int32', values: Int32Array.of(i, 7) }
    /** @type {any} */
    const inputs = { learningRate: scalar(1e-3), step: scalar(i + 1), steps: scalar(9), seed, scheduled: {} }
    /** @type {any} */
    const given = engine.put({ batch, inputs })
    const { loss, gradientNorm, state: next } = step(state, {}, given.batch, given.inputs)
    state = next
    const read = /** @type {any} */ (await engine.read({ loss, gradientNorm }))
    engine.release({ loss, gradientNorm })
    losses.push(read.loss.values[0])
    norms.push(read.gradientNorm.values[0])
  }
  const trained = /** @type {Record<string, HostArray>} */ (await engine.read(state.trainable))
  engine.release(state)
  assert.equal(engine.live(), live, 'tensors leaked')
  step.dispose()
  return { losses, norms, trained }
}

const apart = (/** @type {ArrayLike<number>} */ a, /** @type {ArrayLike<number>} */ b) =>
  Math.max(...Array.from(a, (x, i) => (Number.isFinite(x) ? Math.abs(x - /** @type {number} */ (b[i])) : Infinity)))

/** Asserts that two trainings match. */
function compare(/** @type {any} */ found, /** @type {any} */ expected) {
  assert.ok(
    apart(found.losses, expected.losses) <= TOLERANCE,
    `expected losses ${expected.losses}, got ${found.losses}`,
  )
  const ratios = found.norms.map((/** @type {number} */ norm, /** @type {number} */ i) => norm / expected.norms[i])
  assert.ok(apart(ratios, new Array(STEPS).fill(1)) <= 1e-3, `expected norms ${expected.norms}, got ${found.norms}`)
  for (const [name, { values }] of Object.entries(expected.trained)) {
    const difference = apart(found.trained[name].values, values)
    assert.ok(difference <= TOLERANCE, `${name} differs by ${difference}`)
  }
}

/** Rows of a golden array in another order. */
const ordered = (/** @type {any} */ { shape: [, width], dtype, values }, /** @type {readonly number[]} */ rows) => ({
  shape: [rows.length, width],
  dtype,
  values: rows.flatMap((row) => values.slice(row * width, (row + 1) * width)),
})

/** A case of the contrastive objective, which has no class in transformers: its batches are two pairs of a BERT's texts. */
async function contrasting(/** @type {Parameters<typeof readCase>[1]} */ change = undefined) {
  const given = await readCase(join(root, 'plugins/model-bert/golden/masked'), change)
  const { model, golden } = given
  const plugin = (await findPlugin(OBJECTIVE, userSpecifier('contrastive'), { folders: [root] })).plugin
  const objective = plugin({ pooling: 'pooled' }, { model, tokenizer: /** @type {any} */ ({}) })
  const inputs = Object.entries(golden.examples[0].batch.inputs)
  const pairs = Object.fromEntries(inputs.map(([name, array]) => [name, ordered(array, [0, 1, 2, 0])]))
  return /** @type {Case} */ ({
    ...given,
    objective,
    golden: { ...golden, objective: 'contrastive', examples: [{ batch: { inputs: pairs } }] },
  })
}

/**
 * A case of an objective with the head of another one, on the batches of its case: other targets, and a new classifier.
 * @param {string} name @param {string} folder @param {object} options @param {(texts: number) => any} targetsOf
 */
const alike = (name, folder, options, targetsOf) => async (/** @type {Parameters<typeof readCase>[1]} */ change) => {
  const given = await readCase(join(root, folder), change)
  const plugin = (await findPlugin(OBJECTIVE, userSpecifier(name), { folders: [root] })).plugin
  const tokenizer = /** @type {any} */ ({ special: {}, vocabularySize: given.config.vocab_size, token: () => '' })
  const examples = given.golden.examples.map((/** @type {any} */ { batch }) => ({
    batch: { ...batch, ...targetsOf(batch.inputs.inputIds.shape[0]) },
  }))
  return /** @type {Case} */ ({
    ...given,
    objective: plugin(options, { model: given.model, tokenizer }),
    golden: { ...given.golden, objective: name, examples },
    weights: Object.fromEntries(Object.entries(given.weights).filter(([each]) => !each.startsWith('classifier.'))),
  })
}

/**
 * A case of an objective that reads pairs, on four rows of the batch of another case.
 * @param {string} name @param {string} folder @param {object} options @param {Record<string, number[]>} numbers float arrays of the batch
 */
const paired = (name, folder, options, numbers) => async (/** @type {Parameters<typeof readCase>[1]} */ change) => {
  const given = await readCase(join(root, folder), change)
  const plugin = (await findPlugin(OBJECTIVE, userSpecifier(name), { folders: [root] })).plugin
  const tokenizer = /** @type {any} */ ({ special: {}, vocabularySize: given.config.vocab_size, token: () => '' })
  const { inputs, labels: _, ...rest } = given.golden.examples[0].batch
  const chosen = (/** @type {object} */ arrays) =>
    Object.fromEntries(Object.entries(arrays).map(([each, array]) => [each, ordered(array, [0, 1, 2, 0])]))
  const floats = Object.entries(numbers).map(([each, values]) => [each, { shape: [4], dtype: 'float32', values }])
  return /** @type {Case} */ ({
    ...given,
    objective: plugin(options, { model: given.model, tokenizer }),
    golden: {
      ...given.golden,
      objective: name,
      examples: [{ batch: { inputs: chosen(inputs), ...chosen(rest), ...Object.fromEntries(floats) } }],
    },
    weights: Object.fromEntries(Object.entries(given.weights).filter(([each]) => each !== 'score.weight')),
  })
}

/** Float targets that differ by text and column. @param {number[]} shape */
const floats = (shape) => ({
  labels: {
    shape,
    dtype: 'float32',
    values: Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => (i * 7) % 2),
  },
})
const LANGUAGE = 'plugins/model-gpt2/golden/lm'
const NOTHING = rewardFunction('nothing', () => 0)
const CLASSIFIED = 'plugins/model-bert/golden/classification'
const SUMMARIZED = 'plugins/model-bart/golden/scaled'

/** Rows of which every second one is of the source domain and labelled. @param {number} texts */
const domains = (texts) => {
  const { labels } = floats([texts])
  return { isSource: labels, isLabelled: labels }
}

/** The objective in the `task` of another one: classification with the labels of the golden case. */
const TASK = {
  use: (await findPlugin(OBJECTIVE, userSpecifier('sequence-classification'), { folders: [root] })).plugin,
  labels: ['a', 'b', 'c'],
}

/** Labels of the rows of a task, under its name. @param {number} texts */
const ofTopic = (texts) => ({
  'task.topic.': { labels: { shape: [texts], dtype: 'int32', values: Array.from({ length: texts }, (_, i) => i % 3) } },
})

/** A multi-task objective on joint batches: three tasks with the same texts and different labels. @param {object} options */
const joint = (options) => async (/** @type {Parameters<typeof readCase>[1]} */ change) => {
  const names = ['topic', 'tone', 'kind']
  const all = { tasks: Object.fromEntries(names.map((name) => [name, TASK])), batches: 'joint', ...options }
  const given = await alike('multi-task', CLASSIFIED, all, () => ({}))(change)
  const examples = given.golden.examples.map((/** @type {any} */ { batch: { inputs } }) => {
    const rows = inputs.inputIds.shape[0]
    const integers = (/** @type {(i: number) => number} */ at) => ({
      shape: [rows],
      dtype: 'int32',
      values: Array.from({ length: rows }, (_, i) => at(i)),
    })
    const byTask = (/** @type {(task: number) => any} */ of) =>
      Object.fromEntries(names.map((name, k) => [name, of(k)]))
    const labels = names.map((name, k) => [`task.${name}.`, { labels: integers((i) => (i * (k + 1) + k) % 3) }])
    const positions = byTask((k) => integers((i) => k * rows + i))
    return { batch: { inputs: byTask(() => inputs), positions, ...Object.fromEntries(labels) } }
  })
  const { objective } = given
  /** @type {any} */
  const trainingLoss = (/** @type {any} */ context, /** @type {any} */ batch) => {
    const memory = Object.fromEntries(names.map((name) => [name, { sum: tensorScalar(1.1), weight: tensorScalar(1) }]))
    return objective.trainingLoss?.({ ...context, hyper: { ...context.hyper, memory } }, batch)
  }
  return /** @type {Case} */ ({
    ...given,
    objective: { ...objective, trainingLoss },
    golden: { ...given.golden, examples },
  })
}

/** A distillation whose teacher is the model itself without dropout, through which no gradient flows. @param {Parameters<typeof readCase>[1]} change */
async function distilling(change = undefined) {
  const options = { task: TASK, hiddenWeight: 1, hiddenLayers: 'all', attentionWeight: 1 }
  const given = await alike('distillation', CLASSIFIED, options, () => ({}))(change)
  const { model, objective } = given
  /** @type {any} */
  const trainingLoss = (/** @type {any} */ context, /** @type {any} */ batch) => {
    const params = mapParams((/** @type {any} */ each) => stopGradient(each), context.params)
    const mode = (/** @type {any} */ keep) => /** @type {any} */ ({ training: false, keep })
    const teacher = {
      params,
      forward: (/** @type {any} */ inputs, /** @type {any} */ keep) => model.forward(params, inputs, mode(keep)),
      head: (/** @type {any} */ outputs, /** @type {any} */ of, /** @type {any} */ keep) =>
        objective.head(params, outputs, mode(keep), of),
    }
    return objective.trainingLoss?.({ ...context, models: { teacher } }, batch)
  }
  return /** @type {Case} */ ({ ...given, objective: { ...objective, trainingLoss } })
}

/** A decoder's tokens, four of each text, of which the last is padding. @param {number} texts */
const decoded = (texts) => {
  const of = (/** @type {'int32' | 'float32'} */ dtype, /** @type {(i: number) => number} */ value) => ({
    shape: [texts, 4],
    dtype,
    values: Array.from({ length: 4 * texts }, (_, i) => value(i)),
  })
  const real = (/** @type {number} */ i) => (i % 4 < 3 ? 1 : 0)
  const ids = of('int32', (i) => 5 + ((i * 7) % 11))
  return { decoder: { ids, attentionMask: of('int32', real), targets: ids, weights: of('float32', real) } }
}

/** Deep clustering with the sizes of three clusters. @param {Parameters<typeof readCase>[1]} change */
async function clustering(change = undefined) {
  const given = await alike('deep-clustering', CLASSIFIED, { clusters: 3 }, () => ({}))(change)
  const { objective } = given
  /** @type {any} */
  const trainingLoss = (/** @type {any} */ context, /** @type {any} */ batch) =>
    objective.trainingLoss?.({ ...context, hyper: { ...context.hyper, memory: { frequencies: range(1, 4) } } }, batch)
  return /** @type {Case} */ ({ ...given, objective: { ...objective, trainingLoss } })
}

/** Replaced token detection, with a generator of the size of the model. @param {Parameters<typeof readCase>[1]} change */
async function detecting(change = undefined) {
  const given = await readCase(join(root, 'plugins/model-electra/golden/masked'), change)
  const plugin = (await findPlugin(OBJECTIVE, userSpecifier('replaced-token-detection'), { folders: [root] })).plugin
  const electra = (await findPlugin(MODEL, userSpecifier('electra'), { folders: [root] })).plugin
  const tokenizer = /** @type {any} */ ({
    special: { pad: 0, mask: 1 },
    vocabularySize: given.config.vocab_size,
    token: (/** @type {number} */ id) => `${id}`,
    encode: (/** @type {string} */ text) => ({ ids: text.split(' ').map(Number), truncated: false }),
  })
  const { options } = /** @type {any} */ (given.golden)
  const generator = { use: electra, ...optionsFromConfig(electra.options, given.config), ...options }
  const none = { hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 }
  const objective = plugin({ generator: { ...generator, ...none } }, { model: given.model, tokenizer })
  const items = ['5 6 7 8 9 10 11 12', '12 7 5 9 6'].map((text) => objective.encode({ text }))
  const batch = objective.collate(items, stream(key(3)))
  return /** @type {Case} */ ({
    ...given,
    objective,
    golden: { ...given.golden, objective: 'replaced-token-detection', examples: [{ batch }] },
    weights: Object.fromEntries(Object.entries(given.weights).filter(([name]) => name.startsWith('electra.'))),
  })
}

/** Adversarial text generation with a small discriminator. @param {Parameters<typeof readCase>[1]} change */
async function generating(change = undefined) {
  const given = await readCase(join(root, LANGUAGE), change)
  const plugin = (await findPlugin(OBJECTIVE, userSpecifier('adversarial-text-generation'), { folders: [root] })).plugin
  const bert = (await findPlugin(MODEL, userSpecifier('bert'), { folders: [root] })).plugin
  const tokenizer = /** @type {any} */ ({
    special: { pad: 0, end: 2 },
    vocabularySize: given.config.vocab_size,
    encode: (/** @type {string} */ text) => ({ ids: text.split(' ').map(Number), truncated: false }),
  })
  const shape = { hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 8 }
  const discriminator = { use: bert, ...shape, hiddenDropoutProb: 0, attentionProbsDropoutProb: 0 }
  const options = { discriminator, relaxation: 'gumbel-softmax', padToMultipleOf: 1 }
  const objective = plugin(options, { model: given.model, tokenizer })
  const batch = objective.collate(['1 6 7 8 2', '1 5 2'].map((text) => objective.encode({ text })))
  const golden = { ...given.golden, objective: 'adversarial-text-generation', examples: [{ batch }] }
  return /** @type {Case} */ ({ ...given, objective, golden })
}

/** All cases: name and loader. */
const cases = [
  ...goldenCases().map((folder) => ({
    name: relative(root, folder),
    read: (/** @type {Parameters<typeof readCase>[1]} */ change = undefined) => readCase(folder, change),
  })),
  { name: 'objective-contrastive', read: contrasting },
  { name: 'objective-autoencoder', read: alike('autoencoder', CLASSIFIED, { decoderLayers: 2 }, decoded) },
  { name: 'objective-deep-clustering', read: clustering },
  { name: 'objective-replaced-token-detection', read: detecting },
  { name: 'objective-adversarial-text-generation', read: generating },
  { name: 'objective-regression', read: alike('regression', CLASSIFIED, {}, (texts) => floats([texts])) },
  {
    name: 'objective-multi-label-classification',
    read: alike('multi-label-classification', CLASSIFIED, { labels: ['a', 'b', 'c'] }, (texts) => floats([texts, 3])),
  },
  { name: 'objective-distillation', read: distilling },
  {
    name: 'objective-multi-task',
    read: alike('multi-task', CLASSIFIED, { tasks: { topic: TASK }, weighting: 'uncertainty' }, ofTopic),
  },
  { name: 'objective-multi-task, pcgrad', read: joint({ gradients: 'pcgrad', layers: { tone: 1 } }) },
  { name: 'objective-multi-task, gradnorm', read: joint({ weighting: 'gradnorm', sharing: 'soft' }) },
  { name: 'objective-domain-adversarial', read: alike('domain-adversarial', CLASSIFIED, { task: TASK }, domains) },
  ...['mmd', 'coral'].map((distance) => ({
    name: `objective-domain-alignment, ${distance}`,
    read: alike('domain-alignment', CLASSIFIED, { task: TASK, distance }, domains),
  })),
  {
    name: 'objective-ordinal-classification',
    read: alike('ordinal-classification', CLASSIFIED, { labels: ['a', 'b', 'c'] }, (texts) => floats([texts, 2])),
  },
  {
    name: 'objective-token-classification, crf',
    read: alike(
      'token-classification',
      'plugins/model-bert/golden/tagging',
      { labels: ['O', 'B-X', 'I-X'], crf: true },
      () => ({}),
    ),
  },
  { name: 'objective-denoising', read: alike('denoising', SUMMARIZED, { noise: 'deletion' }, () => ({})) },
  {
    name: 'objective-instruction-tuning',
    read: alike('instruction-tuning', 'plugins/model-gpt2/golden/lm', {}, () => ({})),
  },
  { name: 'objective-preferences', read: paired('preferences', LANGUAGE, {}, {}) },
  { name: 'objective-kto', read: paired('kto', LANGUAGE, {}, { signs: [1, -1, 0, 0] }) },
  { name: 'objective-grpo', read: paired('grpo', LANGUAGE, { rewards: NOTHING }, { advantages: [1, -0.5, 0.25, -1] }) },
  {
    name: 'objective-reward-modeling',
    read: paired('reward-modeling', 'plugins/model-gpt2/golden/classification', {}, { margins: [0, 0.5, 0, 0] }),
  },
]

describe('five training steps match between onnxruntime and tfjs-cpu', () => {
  for (const { name, read } of cases)
    it(`${name}, without dropout, with it, and with gradient checkpointing`, async () => {
      const [plain, dropping] = [await read(), await read(allDropout)]
      const weights = await weightsOf(plain)
      const expected = await train(plain, eager, weights)
      compare(await train(plain, compiled, weights), expected)
      const dropped = await train(dropping, eager, weights)
      // The loss of a policy gradient is the mean advantage, whatever the model computes.
      const effect = Math.max(apart(dropped.losses, expected.losses), apart(dropped.norms, expected.norms))
      assert.ok(effect > TOLERANCE, 'dropout has no effect on the losses and gradients')
      compare(await train(dropping, compiled, weights), dropped)
      compare(await train(dropping, compiled, weights, true), dropped)
    })

  it('covers every model and every objective', async () => {
    const kinds = await Promise.all(cases.map(async ({ read }) => (await read()).golden))
    for (const [kind, of] of /** @type {const} */ ([
      ['model', 'plugin'],
      ['objective', 'objective'],
    ])) {
      const there = readdirSync(join(root, 'plugins')).filter((name) => name.startsWith(`${kind}-`))
      assert.deepEqual([...new Set(kinds.map((golden) => `${kind}-${golden[of]}`))].sort(), there)
    }
  })
})
