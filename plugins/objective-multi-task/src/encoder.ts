import type { EncoderOutputs, Key, Mode, Model, Params, TextInputs } from '@attune/core'
import { filledWith, meanPool } from '@attune/nn'
import { type Scalar, add, addN, scalar, square, sum } from '@tensorflow/tfjs-core'
import { type Task, mismatch } from './task.js'

/** Sharing of the model by the tasks. */
export interface Sharing {
  /** Index of the layer that a task reads, by task; 0: the embeddings. Default: the last. */
  readonly layers: Readonly<Record<string, number>>
  readonly sharing: 'hard' | 'soft'
}

/** Prefix of a task's own difference from the shared parameters. */
const DIFFERENCE = 'difference.'

/** Initial differences of a task from the shared layers, zeros: a copy of the layers, which then moves on its own. */
export function initialDifferences({ init, layers }: Model, key: Key): Params {
  const prefixes = layers.slice(1).flatMap((group) => group.prefixes)
  const own = Object.entries(init(key)).filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix)))
  return Object.fromEntries(own.map(([name, { shape }]) => [DIFFERENCE + name, filledWith(shape, 0)]))
}

/** Squared distances of the tasks' layers from the shared ones, `[]`. */
export function squaredDistances(tasks: readonly Task[], params: Params): Scalar {
  const own = Object.entries(params).filter(([name]) =>
    tasks.some(({ prefix }) => name.startsWith(prefix + DIFFERENCE)),
  )
  return (own.length === 0 ? scalar(0) : addN(own.map(([, each]) => sum(square(each))))) as Scalar
}

/** The parameters of the model for a task: with its differences added. */
function encoderParams({ prefix }: Task, params: Params): Params {
  const differences = Object.entries(params).filter(([name]) => name.startsWith(prefix + DIFFERENCE))
  const moved = differences.map(([name, difference]) => {
    const shared = name.slice(prefix.length + DIFFERENCE.length)
    if (params[shared] !== undefined) return [shared, add(params[shared], difference)]
    throw mismatch(
      `float parameters of the layers with \`sharing: soft\`, got none named ${shared}`,
      'Set `sharing: hard`, or remove the adapter.',
    )
  })
  return { ...params, ...Object.fromEntries(moved) }
}

/** True if a task reads other outputs than the last layer of the shared parameters. */
export const hasOwnOutputs = ({ layers, sharing }: Sharing, { name }: Task): boolean =>
  sharing === 'soft' || Object.hasOwn(layers, name)

/** Outputs of a lower layer as if it were the last; its pooled vector is the mean of the tokens. */
function outputsAt(layer: number, { hiddenStates }: EncoderOutputs, { attentionMask }: TextInputs, task: Task) {
  const lastHiddenState = hiddenStates?.[layer]
  if (lastHiddenState === undefined)
    throw mismatch(
      `a layer from 0 to ${Object.keys(hiddenStates ?? {}).length - 1} for the task "${task.name}", got ${layer}`,
      'Correct the option `layers`.',
    )
  return { lastHiddenState, pooled: meanPool(lastHiddenState, attentionMask) }
}

/**
 * Outputs of the model for a task.
 * @param forward the model
 */
export function outputsFor(
  { layers }: Sharing,
  task: Task,
  { params, inputs, mode }: { readonly params: Params; readonly inputs: TextInputs; readonly mode: Mode },
  forward: (params: Params, inputs: TextInputs, mode: Mode) => EncoderOutputs,
): EncoderOutputs {
  const own = encoderParams(task, params)
  const layer = Object.hasOwn(layers, task.name) ? layers[task.name] : undefined
  if (layer === undefined) return forward(own, inputs, mode)
  const outputs = forward(own, inputs, { ...mode, keep: [...(mode.keep ?? []), 'hiddenStates'] })
  return outputsAt(layer, outputs, inputs, task)
}
