import {
  type Batch,
  type Closure,
  type Hyper,
  type LossFunction,
  type OnDevice,
  type Optimizer,
  type Params,
  type ReducedLoss,
  type TextInputs,
  type Tree,
  mapParams,
} from '@attune/core'
import { globalNorm, gradients } from '@attune/nn'
import { type Scalar, type Tensor, add, clone, div, keep, mul, scalar, zerosLike } from '@tensorflow/tfjs-core'
import { type LossComponents, NO_CONSTANTS, type StepConstants, lossFunction, reduceLosses } from './loss-function.js'

/** All that a step changes. */
export interface TrainingState extends Record<string, Tree> {
  readonly trainable: Params
  readonly optimizer: Tree
}

/** What varies from step to step besides the batch. */
export type StepInputs = Hyper

/** The result of a step: the mean loss before the update and the norm of its gradient, both scalars. */
export interface StepResult extends Record<string, Tree> {
  readonly state: TrainingState
  readonly loss: Scalar
  readonly gradientNorm: Scalar
}

/** The parts of which a step is made. */
export interface StepComponents extends LossComponents {
  readonly optimizer: Optimizer
}

/** Arguments of one evaluation of the loss and its gradient. */
interface Evaluation {
  readonly trainable: Params
  readonly frozen: Params
  readonly batch: OnDevice<Batch>
  readonly hyper: Hyper
}

/** A scalar made of the training loss, its gradient by the trainable parameters, and the loss's weight. */
function differentiate(
  loss: LossFunction,
  { gradientCheckpointing = false, launchBound = false }: LossComponents,
  { trainable, frozen, batch, hyper }: Evaluation,
  scalarOf: (loss: ReducedLoss) => Tensor,
): { readonly value: Scalar; readonly grads: Params; readonly weight: Tensor } {
  let kept: Tensor | undefined
  const { scheduled } = hyper
  const mode = {
    training: true,
    key: { seed: hyper.seed, stream: 0 },
    gradientCheckpointing,
    launchBound,
    ...(Object.keys(scheduled).length === 0 ? {} : { scheduled }),
  } as const
  const forward = (): Tensor => {
    const reduced = loss({ trainable, frozen, batch, mode, hyper })
    kept = keep(reduced.weight) // all else that is not returned is freed with the tape
    return scalarOf(reduced)
  }
  const { value, grads } = gradients(forward, trainable)
  const weight = clone(kept!)
  kept!.dispose()
  return { value: value as Scalar, grads, weight }
}

const hyperOf = (inputs: StepInputs, memory: Tree | undefined): Hyper =>
  (memory === undefined || Object.keys(memory).length === 0 ? inputs : { ...inputs, memory }) as Hyper

/**
 * The mean training loss of a batch and its gradient with respect to the trainable parameters. A parameter that the loss does not
 * depend on has a gradient of zero.
 */
export function lossAndGradients(
  parts: LossComponents,
  evaluation: Evaluation,
  constants: StepConstants = NO_CONSTANTS,
): { readonly loss: Scalar; readonly grads: Params } {
  const mean = (loss: ReducedLoss): Tensor => div(loss.sum, loss.weight)
  const { value, grads, weight } = differentiate(lossFunction(parts, constants), parts, evaluation, mean)
  weight.dispose()
  return { loss: value, grads }
}

const optimizerAt = (
  { optimizer, rebuild }: Pick<StepComponents, 'optimizer' | 'rebuild'>,
  { scheduled }: Hyper,
): Optimizer => rebuild?.(scheduled).optimizer ?? optimizer

/** The next state, and the norm of the gradient. */
function update(
  optimizer: Optimizer,
  state: TrainingState,
  grads: Params,
  { hyper, masks, closure }: { readonly hyper: Hyper; readonly masks: Params; readonly closure?: Closure },
): Pick<StepResult, 'state' | 'gradientNorm'> {
  const { updates, state: next } = optimizer.update(grads, state.optimizer, state.trainable, hyper, closure)
  const move = (p: Tensor, by: Tensor, mask: Tensor | undefined): Tensor =>
    add(p, mask === undefined ? by : mul(by, mask))
  const trainable = mapParams(move as (...values: Tensor[]) => Tensor, state.trainable, updates, masks)
  return { state: { trainable, optimizer: next }, gradientNorm: globalNorm(grads) }
}

/**
 * The training step: a pure function of the state, the frozen parameters, the batch, the inputs that vary, the constants and the
 * epoch's memory. Gradient clipping and the like are links of `optimizer`.
 */
export const trainingStep =
  (parts: StepComponents) =>
  (
    state: TrainingState,
    frozen: Params,
    batch: OnDevice<Batch>,
    inputs: StepInputs,
    constants: StepConstants = NO_CONSTANTS,
    memory?: Tree,
  ): StepResult => {
    const hyper = hyperOf(inputs, memory)
    const closure: Closure = (trainable) => lossAndGradients(parts, { trainable, frozen, batch, hyper }, constants)
    const { loss, grads } = closure(state.trainable)
    return {
      ...update(optimizerAt(parts, hyper), state, grads, { hyper, masks: constants.masks, closure }),
      loss: loss as Scalar,
    }
  }

/** Sums over the parts of a batch: the gradient of the losses' sum, that sum, and its weight. */
export interface Accumulated extends Record<string, Tree> {
  readonly grads: Params
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** The zeros that {@link accumulateStep} begins with. */
export const nothingAccumulated = (trainable: Params): Accumulated => ({
  grads: mapParams((p) => zerosLike(p), trainable),
  lossSum: scalar(0),
  lossWeight: scalar(0),
})

/** Adds one part of a batch. Sums are divided only when all are there, so that every division into parts gives the same. */
export const accumulateStep =
  (parts: LossComponents) =>
  (
    sums: Accumulated,
    trainable: Params,
    frozen: Params,
    batch: OnDevice<Batch>,
    inputs: StepInputs,
    constants: StepConstants = NO_CONSTANTS,
    memory?: Tree,
  ): Accumulated => {
    const evaluation = { trainable, frozen, batch, hyper: hyperOf(inputs, memory) }
    const loss = lossFunction(parts, constants)
    const { value, grads, weight } = differentiate(loss, parts, evaluation, ({ sum }) => sum)
    return {
      grads: mapParams((sum, part) => add(sum, part), sums.grads, grads),
      lossSum: add(sums.lossSum, value),
      lossWeight: add(sums.lossWeight, weight),
    }
  }

/** The update from what was accumulated: with {@link accumulateStep} before it, a training step. */
export const applyStep =
  (parts: Pick<StepComponents, 'optimizer' | 'rebuild'>) =>
  (
    state: TrainingState,
    { grads, lossSum, lossWeight }: Accumulated,
    inputs: StepInputs,
    { masks }: StepConstants = NO_CONSTANTS,
    memory?: Tree,
  ): StepResult => {
    const mean = mapParams((sum) => div(sum, lossWeight), grads)
    const hyper = hyperOf(inputs, memory)
    return { ...update(optimizerAt(parts, hyper), state, mean, { hyper, masks }), loss: div(lossSum, lossWeight) }
  }

/** The result of inference on a batch. */
export interface InferenceResult extends Record<string, Tree> {
  readonly head: Tree
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** The forward pass without dropout, with the loss of the references that the batch holds. */
export const inferenceStep =
  ({ model, objective, launchBound = false }: Pick<StepComponents, 'model' | 'objective' | 'launchBound'>) =>
  (params: Params, batch: OnDevice<Batch>): InferenceResult => {
    const mode = { training: false, launchBound } as const
    const head = objective.head(params, model.forward(params, batch.inputs as unknown as TextInputs, mode), mode, batch)
    const { sum, weight } = reduceLosses(objective.loss(head, batch), batch)
    return { head, lossSum: sum, lossWeight: weight }
  }
