import type { Batch, Hyper, Losses, OnDevice, Optimizer, Params, TextInputs, Tree } from '@attune/core'
import { gradients, innerProduct, reduceLosses } from '@attune/nn'
import { type Tensor, add, addN, div, mul, sqrt, stack, sub } from '@tensorflow/tfjs-core'
import type { LossComponents } from './loss-function.js'
import type { TrainingState } from './training-step.js'

/** Components that compare tasks. */
export interface AffinityComponents extends Pick<LossComponents, 'model' | 'objective'> {
  readonly optimizer: Optimizer
  /** True if a parameter is of the model, which the tasks share. */
  isShared(parameter: string): boolean
}

/** Comparison of tasks on one batch of each, before a step; tasks in the order of the batches. */
export interface Affinity extends Record<string, Tree> {
  /** The state after a step on the sum of the losses. */
  readonly state: TrainingState
  /** Mean loss of each task, `[tasks]`. */
  readonly losses: Tensor
  /** Cosine of the gradients of the shared parameters, `[tasks, tasks]`. */
  readonly cosines: Tensor
  /** Inter-task affinity, `[tasks, tasks]`: effect of a step on the task of the row on the loss of that of the column. */
  readonly affinities: Tensor
}

const MODE = { training: false } as const

/** Cosines of gradients, `[tasks, tasks]`; 0 for a gradient of zeros. */
function cosinesOf(grads: readonly Params[]): Tensor {
  const norms = grads.map((each) => sqrt(innerProduct(each, each)))
  const cosine = (i: number, j: number): Tensor =>
    div(innerProduct(grads[i]!, grads[j]!), add(mul(norms[i]!, norms[j]!), 1e-20))
  return stack(grads.map((_, i) => stack(grads.map((__, j) => cosine(Math.min(i, j), Math.max(i, j))))))
}

/**
 * Inter-task affinity and gradient similarity of tasks, before a step on all of them, without dropout:
 *
 *     Z(i → j) = 1 − L_j(θ after a step of the shared parameters on task i) / L_j(θ)
 *
 * Positive: a step on task i lowers the loss of task j. Steps are those of the optimizer.
 * Source: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, 2021, equation 1.
 * @param batches one batch of each task, by task
 */
export const affinityStep =
  ({ model, objective, optimizer, isShared }: AffinityComponents) =>
  (
    state: TrainingState,
    frozen: Params,
    batches: Readonly<Record<string, OnDevice<Batch>>>,
    hyper: Hyper,
  ): Affinity => {
    const tasks = Object.values(batches)
    const lossOf = (batch: OnDevice<Batch>, trainable: Params): Tensor => {
      const params = { ...frozen, ...trainable }
      const outputs = model.forward(params, batch.inputs as unknown as TextInputs, MODE)
      const losses = objective.loss(objective.head(params, outputs, MODE, batch) as never, batch) as Losses
      const reduced = reduceLosses(losses, batch)
      return div(reduced.sum, reduced.weight)
    }
    const { trainable } = state
    const each = tasks.map((batch) => gradients(() => lossOf(batch, trainable), trainable))
    const moved = (grads: Params, only: (name: string) => boolean) => {
      const { updates, state: next } = optimizer.update(grads, state.optimizer, trainable, hyper)
      const params = Object.entries(trainable).map(
        ([name, p]) => [name, only(name) ? add(p, updates[name]!) : p] as const,
      )
      return { trainable: Object.fromEntries(params), optimizer: next }
    }
    const affinity = ({ grads }: { readonly grads: Params }): Tensor => {
      const after = moved(grads, isShared).trainable
      return stack(tasks.map((batch, j) => sub(1, div(lossOf(batch, after), each[j]!.value))))
    }
    const shared = each.map(({ grads }) => Object.fromEntries(Object.entries(grads).filter(([name]) => isShared(name))))
    const total = Object.fromEntries(
      Object.keys(trainable).map((name) => [name, addN(each.map(({ grads }) => grads[name]!))] as const),
    )
    return {
      state: moved(total, () => true),
      losses: stack(each.map(({ value }) => value)),
      cosines: cosinesOf(shared),
      affinities: stack(each.map(affinity)),
    }
  }
