import {
  type Batch,
  type Hyper,
  type Loss,
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
import { type Scalar, type Tensor, add, clone, div, engine, keep, scalar, zerosLike } from '@tensorflow/tfjs-core'

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
  /** Whether layers are computed again for their gradients rather than kept: gradient checkpointing. */
  readonly recompute?: boolean
  /** The engine's. */
  readonly launchBound?: boolean | undefined
}

type LossParts = Pick<StepParts, 'model' | 'objective' | 'recompute' | 'launchBound'>

/** A scalar made of the loss in training, its gradient by the trainable parameters, and the loss's weight. */
function differentiate(
  { model, objective, recompute = false, launchBound = false }: LossParts,
  { trainable, frozen, batch, seed }: { trainable: Params; frozen: Params; batch: OnDevice<Batch>; seed: Tensor },
  scalarOf: (loss: Loss) => Tensor,
): { readonly value: Scalar; readonly grads: Params; readonly weight: Tensor } {
  const names = Object.keys(trainable)
  const values = names.map((name) => trainable[name] as Tensor)
  let kept: Tensor | undefined
  const forward = (): Scalar => {
    const params = { ...frozen, ...trainable }
    const mode = { training: true, key: { seed, stream: 0 }, recompute, launchBound } as const
    const head = objective.head(params, model.forward(params, batch.inputs as unknown as TextInputs, mode), mode, batch)
    const loss = objective.loss(head, batch)
    kept = keep(loss.weight) // all else that is not returned is freed with the tape
    return scalarOf(loss) as Scalar
  }
  const { value, grads } = engine().gradients(forward, values, undefined, true)
  const weight = clone(kept!)
  kept!.dispose()
  return {
    value,
    grads: Object.fromEntries(names.map((name, i) => [name, grads[i] ?? zerosLike(values[i] as Tensor)])),
    weight,
  }
}

/**
 * The mean loss of a batch and its gradient with respect to the trainable parameters. A parameter that the loss does not
 * depend on has a gradient of zero.
 */
export function lossAndGradients(
  parts: LossParts,
  trainable: Params,
  frozen: Params,
  batch: OnDevice<Batch>,
  seed: Tensor,
): { readonly loss: Scalar; readonly grads: Params } {
  const { value, grads, weight } = differentiate(parts, { trainable, frozen, batch, seed }, (loss) =>
    div(loss.sum, loss.weight),
  )
  weight.dispose()
  return { loss: value, grads }
}

/** The next state, and the norm of the gradient. */
function update(
  optimizer: Optimizer,
  state: TrainingState,
  grads: Params,
  hyper: Hyper,
): Pick<StepResult, 'state' | 'gradientNorm'> {
  const { updates, state: next } = optimizer.update(grads, state.optimizer, state.trainable, hyper)
  const trainable = mapParams((p, by) => add(p, by), state.trainable, updates)
  return { state: { trainable, optimizer: next }, gradientNorm: globalNorm(grads) }
}

/**
 * The training step: a pure function of the state, the frozen parameters, the batch and the inputs that vary. Gradient
 * clipping and the like are links of `optimizer`.
 */
export const trainingStep =
  (parts: StepParts) =>
  (state: TrainingState, frozen: Params, batch: OnDevice<Batch>, inputs: StepInputs): StepResult => {
    const { loss, grads } = lossAndGradients(parts, state.trainable, frozen, batch, inputs.seed)
    return { ...update(parts.optimizer, state, grads, inputs), loss }
  }

/** What the parts of a batch add up to: the gradient of the losses' sum, that sum, and its weight. */
export interface Accumulated extends Record<string, Tree> {
  readonly grads: Params
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** What {@link accumulateStep} begins with. */
export const nothingAccumulated = (trainable: Params): Accumulated => ({
  grads: mapParams((p) => zerosLike(p), trainable),
  lossSum: scalar(0),
  lossWeight: scalar(0),
})

/** Adds one part of a batch. Sums are divided only when all are there, so that every division into parts gives the same. */
export const accumulateStep =
  (parts: LossParts) =>
  (sums: Accumulated, trainable: Params, frozen: Params, batch: OnDevice<Batch>, seed: Tensor): Accumulated => {
    const { value, grads, weight } = differentiate(parts, { trainable, frozen, batch, seed }, ({ sum }) => sum)
    return {
      grads: mapParams((sum, part) => add(sum, part), sums.grads, grads),
      lossSum: add(sums.lossSum, value),
      lossWeight: add(sums.lossWeight, weight),
    }
  }

/** The update from what was accumulated: with {@link accumulateStep} before it, a training step. */
export const applyStep =
  ({ optimizer }: Pick<StepParts, 'optimizer'>) =>
  (state: TrainingState, { grads, lossSum, lossWeight }: Accumulated, inputs: Hyper): StepResult => {
    const mean = mapParams((sum) => div(sum, lossWeight), grads)
    return { ...update(optimizer, state, mean, inputs), loss: div(lossSum, lossWeight) }
  }

/** What inference computes of a batch. */
export interface InferenceResult extends Record<string, Tree> {
  readonly head: Tree
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** The forward pass without dropout, with the loss of the references that the batch holds. */
export const inferenceStep =
  ({ model, objective, launchBound = false }: Pick<StepParts, 'model' | 'objective' | 'launchBound'>) =>
  (params: Params, batch: OnDevice<Batch>): InferenceResult => {
    const mode = { training: false, launchBound } as const
    const head = objective.head(params, model.forward(params, batch.inputs as unknown as TextInputs, mode), mode, batch)
    const { sum, weight } = objective.loss(head, batch)
    return { head, lossSum: sum, lossWeight: weight }
  }
