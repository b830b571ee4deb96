// @ts-check
/**
 * Model, objective, trainable parameters and batches of a workload in Attune, built from its description. The only file that depends on the
 * objective; peer_pytorch.py is its counterpart.
 */
import lora from '@attune/adapter-lora'
import full from '@attune/adapter-full'
import * as core from '@attune/core'
import * as nn from '@attune/nn'
import adamw from '@attune/optimizer-adamw'
import { optionsFromConfig } from '@attune/weights'
import { CLASSES } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */

/** @param {readonly number[]} shape @param {(i: number) => number} value @returns {core.HostArray} */
export const ints = (shape, value) => ({
  shape,
  dtype: 'int32',
  values: Int32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
})

/** @param {readonly number[]} shape @param {(i: number) => number} value @returns {core.HostArray} */
const floats = (shape, value) => ({ shape, dtype: 'float32', values: Float32Array.from(ints(shape, value).values) })

/** Options of each objective, and the fields of its batch `i` other than the token ids, whose token `j` is `token(j)`. */
const OBJECTIVES = {
  'sequence-classification': {
    options: { labels: Array.from({ length: CLASSES }, (_, i) => String(i)) },
    asked: (/** @type {Workload} */ { batch }, /** @type {number} */ i) => ({
      labels: ints([batch], (j) => (i + j) % CLASSES),
    }),
  },
  'causal-language-modeling': {
    options: {},
    asked(
      /** @type {Workload} */ { batch, length },
      /** @type {number} */ _,
      /** @type {(j: number) => number} */ token,
    ) {
      const isLast = (/** @type {number} */ j) => j % length === length - 1
      return {
        targets: ints([batch, length], (j) => (isLast(j) ? 0 : token(j + 1))),
        weights: floats([batch, length], (j) => (isLast(j) ? 0 : 1)),
      }
    },
  },
}

/** @param {Workload} workload @param {core.Engine} engine */
export async function subjectOf(workload, engine) {
  const { plugin, ...config } = workload.model
  const network = (await import(`@attune/model-${plugin}`)).default
  /** @type {core.Model} */
  const model = network(optionsFromConfig(network.options, config))
  const { options, asked } = OBJECTIVES[workload.objective]
  const tokenizer = /** @type {any} */ ({ special: {} }) // batches are synthetic: nothing is tokenized
  /** @type {core.Objective<any, any, any>} */
  const objective = (await import(`@attune/objective-${workload.objective}`)).default(options, { model, tokenizer })
  const adapter =
    workload.lora === undefined
      ? full()
      : lora({ ...workload.lora, targets: [...workload.lora.targets] }, { engine, randomness: core.key(3) })
  return {
    model,
    objective,
    adapter,
    optimizer: nn.chain(nn.clipByGlobalNorm(1), adamw({ weightDecay: 0.01 })),
    /** Initial parameters of the model and its head. */
    fresh: () => engine.compile(() => ({ ...model.init(core.key(1)), ...objective.init(core.key(2)) }))(),
    /** @param {number} i */
    batchOf(i) {
      const { batch, length } = workload
      const token = (/** @type {number} */ j) => 1 + ((7919 * j + 104_729 * i) % (workload.model.vocab_size - 1))
      const inputs = {
        inputIds: ints([batch, length], token),
        attentionMask: ints([batch, length], () => 1),
        tokenTypeIds: ints([batch, length], () => 0),
      }
      return { inputs, ...asked(workload, i, token) }
    },
  }
}
