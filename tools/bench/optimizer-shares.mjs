// @ts-check
/**
 * Fraction of the time of a training step that optimizers take. Each step is compared with one that computes the loss, its gradients and their norm
 * but updates nothing; the programs take turns in one process.
 */
import { lossAndGradients, stepInputs, trainingStep } from '@attune/trainer'
import * as nn from '@attune/nn'
import { subjectOf } from './subject.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/** @typedef {{ name: string, median: number, share: number | undefined }} Share times in milliseconds; `share` of the step's time */

/** Optimizers and their options. @type {readonly (readonly [name: string, options: Record<string, number>])[]} */
export const OPTIMIZERS = [
  ['adamw', { weightDecay: 0.01 }],
  ['lion', {}],
  ['sgd', {}],
]

/** A program under measurement. @typedef {{ name: string, times: number[], step: (i: number) => Promise<void> }} Timed */

/** @param {readonly number[]} values */
const medianOf = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/**
 * Measures the median step of each optimizer, and of gradients alone.
 * @param {Workload} workload @param {{ rounds: number, log: (text: string) => void }} how @returns {Promise<Share[]>}
 */
export async function measureShares(workload, { rounds, log }) {
  const engine = (await import('@attune/engine-onnxruntime')).default()
  await engine.start()
  const { model, objective, fresh, batchOf } = await subjectOf(workload, engine)
  const { launchBound = false } = engine
  const components = { model, objective, launchBound }
  const inputsAt = (/** @type {number} */ i) =>
    engine.put(stepInputs({ learningRate: workload.learningRate, step: i + 1, steps: 1e6, seed: [i, i + 1] }))

  /** @returns {Timed} */
  const gradientsAlone = () => {
    const trainable = fresh()
    const program = engine.compile(
      (/** @type {any} */ params, /** @type {any} */ batch, /** @type {any} */ hyper) => {
        const { loss, grads } = lossAndGradients(components, { trainable: params, frozen: {}, batch, hyper })
        return { loss, norm: nn.globalNorm(grads) }
      },
      { donate: [1, 2] },
    )
    const step = async (/** @type {number} */ i) => {
      const found = program(trainable, engine.put(batchOf(i)), inputsAt(i))
      await engine.read(found)
      engine.release(found)
    }
    return { name: 'gradients alone', times: [], step }
  }

  /** @param {string} name @param {object} options @returns {Promise<Timed>} */
  const withOptimizer = async (name, options) => {
    const optimizer = (await import(`@attune/optimizer-${name}`)).default(options)
    const trainable = fresh()
    /** @type {import('@attune/trainer').TrainingState} */
    let state = { trainable, optimizer: engine.compile(() => optimizer.init(trainable))() }
    const program = engine.compile(trainingStep({ ...components, optimizer }), { donate: [0, 2, 3] })
    const step = async (/** @type {number} */ i) => {
      const { state: next, loss, gradientNorm } = program(state, {}, engine.put(batchOf(i)), inputsAt(i))
      state = next
      await engine.read({ loss, gradientNorm })
      engine.release({ loss, gradientNorm })
    }
    return { name, times: [], step }
  }

  const programs = [gradientsAlone()]
  for (const [name, options] of OPTIMIZERS) programs.push(await withOptimizer(name, options))
  for (let round = -1; round < rounds; round++) {
    for (const { step, times } of programs) {
      const begun = performance.now()
      await step(round + 1)
      if (round >= 0) times.push(performance.now() - begun) // the first step compiles
    }
    log(`round ${round + 1} of ${rounds}`)
  }
  await engine.close()
  const [alone, ...others] = programs.map(({ name, times }) => ({ name, median: medianOf(times), times }))
  // Differences within a round, since a slow phase of the machine then affects both programs.
  const shareOf = (/** @type {readonly number[]} */ times) =>
    medianOf(times.map((time, i) => (time - (alone?.times[i] ?? NaN)) / time))
  return [
    { name: alone?.name ?? '', median: alone?.median ?? NaN, share: undefined },
    ...others.map(({ name, median, times }) => ({ name, median, share: shareOf(times) })),
  ]
}
