import {
  type Batch,
  type Compiled,
  type DataPass,
  type Encoded,
  type Engine,
  type Example,
  type OnDevice,
  type Params,
  type PassAt,
  type TextInputs,
  type Tree,
} from '@attune/core'
import { batchByGroup } from '@attune/data'
import { gradients, reduceLosses } from '@attune/nn'
import { div } from '@tensorflow/tfjs-core'
import { weightedBatch } from './batches.js'
import type { LossComponents } from './loss-function.js'

/** Components and data of a pass. */
export interface PassComponents extends Pick<LossComponents, 'model' | 'objective'> {
  readonly engine: Engine
  readonly trainable: Params
  readonly frozen: Params
  /** The encoded training examples, or the given ones. */
  items(examples?: () => AsyncIterable<Example>): AsyncIterable<Encoded>
  /** Default batch size of a pass. */
  readonly batchSize: number
}

/** Lazily computed values on one batch. */
function passAt(
  { model, objective }: Pick<LossComponents, 'model' | 'objective'>,
  trainable: Params,
  frozen: Params,
  onDevice: OnDevice<Batch>,
): PassAt {
  const mode = { training: false } as const
  const inputs = onDevice.inputs as unknown as TextInputs
  const headOf = (params: Params): Tree => objective.head(params, model.forward(params, inputs, mode), mode, onDevice)
  const params = { ...frozen, ...trainable }
  return {
    params,
    batch: onDevice,
    mode,
    outputs: (keep) => model.forward(params, inputs, keep === undefined ? mode : { ...mode, keep }),
    head: () => headOf(params),
    gradients() {
      const mean = () => {
        const { sum, weight } = reduceLosses(objective.loss(headOf(params) as never, onDevice), onDevice)
        return div(sum, weight)
      }
      const { value, grads } = gradients(mean, trainable)
      value.dispose()
      return grads
    },
  }
}

/** Creates a pass over the training data. Each call of `fold` compiles its step once and donates the state from batch to batch. */
export function dataPass(components: PassComponents): DataPass {
  const { engine, objective, trainable, frozen } = components
  return {
    async fold(start, step, { batchSize = components.batchSize, limit = Infinity, examples } = {}) {
      type State = ReturnType<typeof start>
      const begin = engine.compile(start)
      const compiled = engine.compile(
        (state: State, own: Params, others: Params, onDevice: OnDevice<Batch>) =>
          step(state, passAt(components, own, others, onDevice)),
        { donate: [0, 3], constant: [2] },
      ) as unknown as Compiled<(state: State, own: Params, others: Params, onDevice: OnDevice<Batch>) => State>
      let state = begin(trainable)
      let count = 0
      for await (const items of batchByGroup(components.items(examples), batchSize)) {
        if (count++ >= limit) break
        state = compiled(state, trainable, frozen, engine.put(weightedBatch(items, objective.collate(items))))
      }
      begin.dispose()
      compiled.dispose()
      return state
    },
    read: (tree) => engine.read(tree),
    release: (tree) => engine.release(tree),
  }
}
