import {
  type AuxiliaryModel,
  type Batch,
  type LossCall,
  type LossFunction,
  type Losses,
  type Model,
  type Objective,
  type OnDevice,
  type Optimizer,
  type Params,
  type ReducedLoss,
  type Regularizer,
  type TextInputs,
  type TrainingContext,
  type Tree,
  isTensor,
  mapParams,
} from '@attune/core'
import { stopGradient, withHook } from '@attune/nn'
import { type Tensor, addN, div, gather, mul, reshape, sum } from '@tensorflow/tfjs-core'

/** A model beside the one that trains. */
export interface Auxiliary {
  readonly model: Model
  /** The objective as it is on that model. */
  readonly objective: Objective
  /** Its parameters, from the frozen ones of the step and its own: a reference under an adapter shares the frozen base. */
  params(frozen: Params, own: Params): Params
}

/** The trees that stay the same from step to step, as arguments of the step: a captured tensor would be copied into every graph. */
export interface StepConstants extends Record<string, Tree> {
  /** Own parameters of the auxiliary models, by name. */
  readonly models: Readonly<Record<string, Params>>
  /** What each regularizer prepared, by its position in the chain. */
  readonly regularizers: Readonly<Record<string, Tree>>
  /** Masks of updates, by parameter. */
  readonly masks: Params
}

/** Constants of a step that has none. */
export const NO_CONSTANTS: StepConstants = { models: {}, regularizers: {}, masks: {} }

/** Parts whose options follow a schedule. */
export interface Rebuilt {
  readonly objective?: Objective
  readonly regularizers?: readonly Regularizer[]
  readonly optimizer?: Optimizer
}

/** The parts of which the training loss is made. */
export interface LossComponents {
  readonly model: Model
  readonly objective: Objective
  /** The first is the innermost. */
  readonly regularizers?: readonly Regularizer[]
  readonly models?: Readonly<Record<string, Auxiliary>>
  /** Rebuilds the objective, the regularizers and the optimizer with the values of scheduled options. */
  rebuild?(scheduled: Readonly<Record<string, Tensor>>): Rebuilt
  /** True for gradient checkpointing: layers are computed again for their gradients rather than kept. */
  readonly gradientCheckpointing?: boolean
  /** The engine's. */
  readonly launchBound?: boolean | undefined
}

/** The weights of losses times those of their examples. */
function weighted({ losses, weights, examples }: Losses, batch: OnDevice<Batch>): Tensor {
  const own = batch['exampleWeights'] as Tensor | undefined
  if (own === undefined) return weights
  if (examples !== undefined) return mul(weights, reshape(gather(own, reshape(examples, [-1]) as never), weights.shape))
  return mul(weights, losses.rank === 1 ? own : reshape(own, [-1, ...new Array<number>(losses.rank - 1).fill(1)]))
}

const isLosses = (given: Losses | Readonly<Record<string, Losses>>): given is Losses => isTensor(given['losses'])

/**
 * The weighted sum of losses and the sum of their weights, `exampleWeights` of the batch included. Of several named losses, each is
 * divided by its own weight first: their means add up.
 */
export function reduceLosses(given: Losses | Readonly<Record<string, Losses>>, batch: OnDevice<Batch>): ReducedLoss {
  if (isLosses(given)) {
    const weights = weighted(given, batch)
    return { sum: sum(mul(given.losses, weights)), weight: sum(weights) }
  }
  const [first, ...others] = Object.values(given).map((losses) => reduceLosses(losses, batch))
  if (first === undefined) throw new Error('trainingLoss returned no losses')
  const scaled = others.map(({ sum: total, weight }) => mul(total, div(first.weight, weight)))
  return { sum: addN([first.sum, ...scaled]), weight: first.weight }
}

/** The auxiliary models in an evaluation of the loss. */
const auxiliaries = (
  models: Readonly<Record<string, Auxiliary>>,
  own: StepConstants['models'],
  frozen: Params,
): TrainingContext['models'] =>
  Object.fromEntries(
    Object.entries(models).map(([name, { model, objective, params }]): [string, AuxiliaryModel] => {
      const all = mapParams((tensor) => stopGradient(tensor), params(frozen, own[name] ?? {}))
      const mode = { training: false } as const
      return [
        name,
        {
          params: all,
          forward: (inputs) => model.forward(all, inputs, mode),
          head: (outputs, batch) => objective.head(all, outputs, mode, batch),
        },
      ]
    }),
  )

/** The loss of the objective on the model, before regularizers. */
function objectiveLoss({ model, objective, models = {} }: LossComponents, constants: StepConstants): LossFunction {
  return ({ trainable, frozen, batch, mode, hyper, hook }) => {
    const params = withHook({ ...frozen, ...trainable }, hook)
    const inputs = batch.inputs as unknown as TextInputs
    if (objective.trainingLoss === undefined) {
      const head = objective.head(params, model.forward(params, inputs, mode), mode, batch)
      return { ...reduceLosses(objective.loss(head, batch), batch), head }
    }
    const context: TrainingContext = {
      params,
      mode,
      hyper,
      forward: (given, change = {}) =>
        model.forward(withHook(change.params ?? params, change.hook), given, change.mode ?? mode),
      models: auxiliaries(models, constants.models, frozen),
    }
    return reduceLosses(objective.trainingLoss(context, batch), batch)
  }
}

/** One regularizer around a loss; each sees the constants that it prepared itself. */
function regularized(loss: LossFunction, regularizer: Regularizer, prepared: Tree | undefined): LossFunction {
  const wrapped = regularizer.wrap(loss)
  if (prepared === undefined) return wrapped
  return (call: LossCall) => wrapped({ ...call, constants: prepared })
}

/** The training loss: the objective's on the model, wrapped by the regularizers, the first innermost. */
export function lossFunction(parts: LossComponents, constants: StepConstants = NO_CONSTANTS): LossFunction {
  return (call) => {
    const { regularizers = [], ...rest } = { ...parts, ...parts.rebuild?.(call.hyper.scheduled) }
    const whole = regularizers.reduce(
      (loss, regularizer, i) => regularized(loss, regularizer, constants.regularizers[i]),
      objectiveLoss(rest, constants),
    )
    return whole(call)
  }
}
