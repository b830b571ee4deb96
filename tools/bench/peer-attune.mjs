// @ts-check
/**
 * One peer: Attune's model, objective, adapter, optimizer and training step on an engine. For each step number on standard input, it runs
 * the step and prints its time and loss.
 */
import { createInterface } from 'node:readline'
import { readFileSync, writeFileSync } from 'node:fs'
import { stepInputs, trainingStep } from '@attune/trainer'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { matMul, sum } from '@tensorflow/tfjs-core'
import { subjectOf } from './subject.mjs'

/** @import { Engine, HostArray, Params } from '@attune/core' */
/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @type {{ engine: string, options?: object, workload: Workload, weights: string, create: boolean }} */
const { engine: engineModule, options, workload, weights, create } = JSON.parse(process.argv[2] ?? '{}')
/** @type {Engine} */
const engine = (await import(engineModule)).default(options)
await engine.start()
const { model: plain, objective, adapter, optimizer, fresh, batchOf } = await subjectOf(workload, engine)

if (create) {
  const { trainable, frozen } = await adapter.adapt(plain, fresh())
  const all = await engine.read({ ...frozen, ...trainable })
  writeFileSync(weights, encodeSafetensors(all, { format: 'pt' }))
  process.exit()
}

const { launchBound = false } = engine
const INFERENCE = /** @type {const} */ ({ training: false, launchBound })

/** Loads the parameters from the file; saved adapter parameters replace their initialization. */
async function load() {
  const saved = engine.put(decodeSafetensors(readFileSync(weights), weights).tensors)
  const own = Object.fromEntries(Object.entries(saved).filter(([name]) => !name.includes('.lora_')))
  const { model, trainable, frozen } = await adapter.adapt(plain, own)
  const given = Object.fromEntries(Object.keys(trainable).map((name) => [name, /** @type {any} */ (saved[name])]))
  engine.release(Object.fromEntries(Object.entries(trainable).filter(([name, tensor]) => given[name] !== tensor)))
  return { model, trainable: given, frozen }
}

const { model, trainable, frozen } = await load()
const training = workload.task === 'train'
/** @type {import('@attune/trainer').TrainingState} */
let state = { trainable, optimizer: training ? engine.compile(() => optimizer.init(trainable))() : {} }
const train = engine.compile(trainingStep({ model, objective, optimizer, launchBound }), {
  donate: [0, 2, 3],
  constant: [1],
})
const infer = engine.compile(
  (/** @type {Params} */ p, /** @type {any} */ given) =>
    objective.head(p, model.forward(p, given.inputs, INFERENCE), INFERENCE, given),
  { donate: [1], constant: [0] },
)

const all = { ...frozen, ...state.trainable }
let taken = 0
/** Runs a training step and returns its loss. @param {number} i @returns {Promise<number>} */
async function trainOnce(i) {
  const { learningRate } = workload
  const hyper = stepInputs({ learningRate, step: ++taken, steps: 1e6, seed: [i, i + 1] })
  const { loss, gradientNorm, ...result } = train(state, frozen, engine.put(batchOf(i)), engine.put(hyper))
  state = result.state
  const { values } = await engine.read(loss)
  engine.release({ loss, gradientNorm })
  return Number(values[0])
}

/** First logit of a batch. @param {number} i @returns {Promise<number>} */
async function inferOnce(i) {
  const logits = /** @type {import('@tensorflow/tfjs-core').Tensor} */ (infer(all, engine.put(batchOf(i))))
  const { values } = await engine.read(logits)
  engine.release(logits)
  return Number(values[0])
}

/** Rate of large matrix products in GFLOP/s: the best of several. */
async function rate() {
  const size = 2048
  const values = Float32Array.from({ length: size * size }, (_, i) => i % 7)
  /** @type {HostArray} */
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
    const value = training ? await trainOnce(Number(line)) : await inferOnce(Number(line))
    say({ milliseconds: performance.now() - begun, value })
  }
}
