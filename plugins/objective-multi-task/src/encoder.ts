import type { Batch, Mode, Model, OnDevice, Params, TextInputs, Tree } from '@attune/core'
import { type TaskObjective, addDifferences, batchOfTask, outputsAtLayer, withoutPrefix } from '@attune/nn'

/** Sharing of the model by the tasks. */
export interface Sharing {
  /** Index of the layer that a task reads, by task; 0: the embeddings. Default: the last. */
  readonly layers: Readonly<Record<string, number>>
  readonly sharing: 'hard' | 'soft'
}

/** True if a task reads other outputs than the last layer of the shared parameters. */
export const hasOwnOutputs = ({ layers, sharing }: Sharing, { name }: TaskObjective): boolean =>
  sharing === 'soft' || Object.hasOwn(layers, name)

type Forward = Model['forward']

/**
 * Outputs of a task's head for its rows of a batch.
 * @param forward the model, or its outputs for the rows, which a task with outputs of its own does not read
 */
export function headOf(
  o: Sharing,
  task: TaskObjective,
  { params, mode, batch }: { readonly params: Params; readonly mode: Mode; readonly batch: OnDevice<Batch> },
  forward: Forward,
): Tree {
  const own = batchOfTask(task, batch)
  const inputs = own.inputs as TextInputs
  const layer = Object.hasOwn(o.layers, task.name) ? o.layers[task.name] : undefined
  const keep = layer === undefined ? {} : { keep: [...(mode.keep ?? []), 'hiddenStates' as const] }
  const last = forward(addDifferences(params, task.prefix), inputs, { ...mode, ...keep })
  const outputs = layer === undefined ? last : outputsAtLayer(layer, last, inputs, `the task "${task.name}"`)
  return task.objective.head({ ...params, ...withoutPrefix(params, task.prefix) }, outputs, mode, own)
}
