// @ts-check
/**
 * One peer: Attune's model, objective, optimizer and training step on an engine. Told a step's number on standard input,
 * it takes the step and answers with its time and loss.
 */
import { createInterface } from 'node:readline'
import { readFileSync, writeFileSync } from 'node:fs'
import adamw from '@attune/optimizer-adamw'
import bert from '@attune/model-bert'
import classification from '@attune/objective-sequence-classification'
import * as core from '@attune/core'
import * as nn from '@attune/nn'
import { trainingStep } from '@attune/trainer'
import { matMul, sum } from '@tensorflow/tfjs-core'
import { CLASSES } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @type {{ engine: string, workload: Workload, weights: string, create: boolean }} */
const { engine: engineName, workload, weights, create } = JSON.parse(process.argv[2] ?? '{}')
const { batch, length, dropout, task } = workload
const shape = /** @type {import('./workloads.mjs').Shape} */ (workload.model)

const scope = core.createScope()
core.provide(scope, (await import(`@attune/engine-${engineName}`)).default, {})
core.provide(scope, bert, {
  ...shape,
  hiddenDropoutProb: dropout,
  attentionProbsDropoutProb: dropout,
})
core.provideInstance(scope, core.TOKENIZER, /** @type {any} */ ({})) // batches are made here: nothing is encoded
const labels = Array.from({ length: CLASSES }, (_, i) => String(i))
core.provide(scope, classification, { labels })
core.provide(scope, adamw, { weightDecay: 0.01 })
const engine = core.get(scope, core.ENGINE)
await engine.start()
const model = core.get(scope, core.MODEL)
const objective = core.get(scope, core.OBJECTIVE)
const optimizer = nn.chain(nn.clipByGlobalNorm(1), ...core.getAll(scope, core.OPTIMIZER))

if (create) {
  const params = engine.compile(() => ({ ...model.init(core.key(1)), ...objective.init(core.key(2)) }))()
  writeFileSync(weights, nn.encodeSafetensors(await engine.read(params), { format: 'pt' }))
  process.exit()
}

/** @param {readonly number[]} shape @param {(i: number) => number} value @returns {core.HostArray} */
const ints = (shape, value) => ({
  shape,
  dtype: 'int32',
  values: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
})
/** @param {number} value @returns {core.HostArray} */
const number = (value) => ({ shape: [], dtype: 'float32', values: Float32Array.of(value) })
/** @param {number} i */
const batchOf = (i) => ({
  inputs: {
    inputIds: ints([batch, length], (j) => (7919 * j + 104_729 * i) % shape.vocabSize),
    attentionMask: ints([batch, length], () => 1),
    tokenTypeIds: ints([batch, length], () => 0),
  },
  labels: ints([batch], (j) => (i + j) % CLASSES),
})
const INFERENCE = /** @type {const} */ ({ training: false })

const params = engine.put(nn.decodeSafetensors(readFileSync(weights), weights).tensors)
/** @type {import('@attune/trainer').TrainingState} */
let state = { trainable: params, optimizer: task === 'train' ? engine.compile(() => optimizer.init(params))() : {} }
const train = engine.compile(trainingStep({ model, objective, optimizer }), { donate: [0, 2, 3] })
const infer = engine.compile(
  (/** @type {core.Params} */ p, /** @type {any} */ given) =>
    objective.head(p, model.forward(p, given.inputs, INFERENCE), INFERENCE, given),
  { donate: [1] },
)

/** A training step, and its loss. @param {number} i @returns {Promise<number>} */
async function trainOnce(i) {
  const hyper = { learningRate: number(5e-5), step: number(i), seed: ints([2], (j) => i + j) }
  const { loss, gradientNorm, ...result } = train(state, {}, engine.put(batchOf(i)), engine.put(hyper))
  state = result.state
  const { values } = await engine.read(loss)
  engine.release({ loss, gradientNorm })
  return Number(values[0])
}

/** The first logit of a batch. @param {number} i @returns {Promise<number>} */
async function inferOnce(i) {
  const logits = /** @type {import('@tensorflow/tfjs-core').Tensor} */ (infer(params, engine.put(batchOf(i))))
  const { values } = await engine.read(logits)
  engine.release(logits)
  return Number(values[0])
}

/** The rate of large matrix products in 10⁹ operations a second: the best of several. */
async function rate() {
  const size = 2048
  const values = Float32Array.from({ length: size * size }, (_, i) => i % 7)
  /** @type {core.HostArray} */
  const square = { shape: [size, size], dtype: 'float32', values }
  const a = engine.put(square)
  const product = engine.compile((/** @type {any} */ x) => sum(matMul(x, x)))
  let best = Infinity
  for (let i = 0; i < 12; i++) {
    const begun = performance.now()
    await engine.read(product(a))
    best = Math.min(best, performance.now() - begun)
  }
  engine.release(a)
  return (2 * size ** 3) / best / 1e6
}

/** @param {object} value */
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
say({ ready: engine.device })
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'rate') say({ rate: await rate() })
  else if (line === 'end') {
    say({ peakBytes: process.resourceUsage().maxRSS * 1024 })
    process.exit()
  } else {
    const begun = performance.now()
    const value = task === 'train' ? await trainOnce(Number(line)) : await inferOnce(Number(line))
    say({ milliseconds: performance.now() - begun, value })
  }
}
