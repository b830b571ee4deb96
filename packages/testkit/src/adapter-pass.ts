import type { DataPass, DeviceBatch, Engine, Model, OnHost, Params, PassAt, TextInputs, Tree } from '@attune/core'
import { gradients } from '@attune/nn'
import { type Tensor, add, mean, square } from '@tensorflow/tfjs-core'
import { textInputs } from './host-array.js'

/** Mean square of the outputs plus 1: every parameter has a gradient. */
const lossOf = (model: Model, params: Params, inputs: TextInputs): Tensor => {
  const { lastHiddenState, pooled } = model.forward(params, inputs, { training: false })
  return add(mean(square(add(lastHiddenState, 1))), mean(square(add(pooled, 1))))
}

/** Lazily computed values on one batch. */
const passAt = (model: Model, params: Params, batch: DeviceBatch): PassAt => {
  const mode = { training: false } as const
  const inputs = batch.inputs as TextInputs
  return {
    params,
    batch,
    mode,
    outputs: (keep) => model.forward(params, inputs, keep === undefined ? mode : { ...mode, keep }),
    head: () => model.forward(params, inputs, mode).pooled,
    gradients: () => gradients(() => lossOf(model, params, inputs), params).grads,
  }
}

/**
 * A pass over a few rows of token ids, for adapters that compute statistics of the training data. Its loss is the mean square of the outputs
 * plus 1; its default batch size is 2.
 */
export const adapterPass = (
  engine: Engine,
  model: Model,
  params: Params,
  rows: readonly (readonly number[])[],
): DataPass => ({
  async fold<S extends Tree>(
    start: (trainable: Params) => S,
    step: (state: S, at: PassAt) => S,
    { batchSize = 2, limit = Infinity } = {},
  ) {
    const begin = engine.compile(start)
    const compiled = engine.compile(
      (state: S, all: Params, batch: DeviceBatch): S => step(state, passAt(model, all, batch)),
      { donate: [0, 2] },
    )
    let state = begin(params)
    for (let at = 0; at < rows.length && at / batchSize < limit; at += batchSize) {
      const batch = engine.put({ inputs: textInputs(rows.slice(at, at + batchSize)) }) as DeviceBatch
      state = compiled(state, params, batch)
    }
    begin.dispose()
    compiled.dispose()
    return await Promise.resolve(state)
  },
  read: <T extends Tree>(tree: T): Promise<OnHost<T>> => engine.read(tree),
  release: (tree) => engine.release(tree),
})
