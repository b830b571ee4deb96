import {
  type Batch,
  type Hyper,
  type Model,
  type Objective,
  type OnDevice,
  type Optimizer,
  type Params,
  type TextInputs,
  type Tree,
  mapParams,
} from '@attune/core'
import { globalNorm } from '@attune/nn'
import { type Scalar, type Tensor, add, div, engine, zerosLike } from '@tensorflow/tfjs-core'

/** All that a step changes. */
export interface TrainingState extends Record<string, Tree> {
  readonly trainable: Params
  readonly optimizer: Tree
}

/** What varies from step to step besides the batch. `seed` is int32 `[2]`. */
export interface StepInputs extends Hyper {
  readonly seed: Tensor
}

/** What a step reports: the mean loss before the update and the norm of its gradient, both scalars. */
export interface StepResult extends Record<string, Tree> {
  readonly state: TrainingState
  readonly loss: Scalar
  readonly gradientNorm: Scalar
}

/** The parts of which a step is made. */
export interface StepParts {
  readonly model: Model
  readonly objective: Objective
  readonly optimizer: Optimizer
}

/**
 * The mean loss of a batch and its gradient with respect to the trainable parameters. A parameter that the loss does not
 * depend on has a gradient of zero.
 */
export function lossAndGradients(
  { model, objective }: Pick<StepParts, 'model' | 'objective'>,
  trainable: Params,
  frozen: Params,
  batch: OnDevice<Batch>,
  seed: Tensor,
): { readonly loss: Scalar; readonly grads: Params } {
  const names = Object.keys(trainable)
  const meanLoss = (...values: Tensor[]): Scalar => {
    const params = { ...frozen, ...Object.fromEntries(names.map((name, i) => [name, values[i] as Tensor])) }
    const mode = { training: true, key: { seed, stream: 0 } } as const
    const head = objective.head(params, model.forward(params, batch.inputs as unknown as TextInputs, mode), mode, batch)
    const loss = objective.loss(head, batch)
    return div(loss.sum, loss.weight)
  }
  const values = names.map((name) => trainable[name] as Tensor)
  const { value, grads } = engine().gradients(() => meanLoss(...values), values, undefined, true)
  return {
    loss: value,
    grads: Object.fromEntries(names.map((name, i) => [name, grads[i] ?? zerosLike(values[i] as Tensor)])),
  }
}

/**
 * The training step: a pure function of the state, the frozen parameters, the batch and the inputs that vary. Gradient
 * clipping and the like are links of `optimizer`.
 */
export const trainingStep =
  (parts: StepParts) =>
  (state: TrainingState, frozen: Params, batch: OnDevice<Batch>, inputs: StepInputs): StepResult => {
    const { loss, grads } = lossAndGradients(parts, state.trainable, frozen, batch, inputs.seed)
    const { updates, state: optimizer } = parts.optimizer.update(grads, state.optimizer, state.trainable, inputs)
    const trainable = mapParams((p, update) => add(p, update), state.trainable, updates)
    return { state: { trainable, optimizer }, loss, gradientNorm: globalNorm(grads) }
  }

/** What inference computes of a batch. */
export interface InferenceResult extends Record<string, Tree> {
  readonly head: Tree
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** The forward pass without dropout, with the loss of the references that the batch holds. */
export const inferenceStep =
  ({ model, objective }: Pick<StepParts, 'model' | 'objective'>) =>
  (params: Params, batch: OnDevice<Batch>): InferenceResult => {
    const mode = { training: false } as const
    const head = objective.head(params, model.forward(params, batch.inputs as unknown as TextInputs, mode), mode, batch)
    const { sum, weight } = objective.loss(head, batch)
    return { head, lossSum: sum, lossWeight: weight }
  }
