import {
  AttuneError,
  type AuxiliaryModel,
  type Batch,
  type Kept,
  type LossCall,
  type LossFunction,
  type Mode,
  type Model,
  type Objective,
  type OnDevice,
  type Optimizer,
  type Params,
  type Regularizer,
  type TextInputs,
  type TrainingContext,
  type Tree,
  deriveKey,
  key,
  mapParams,
} from '@attune/core'
import { lossWeights, reduceLosses, stopGradient, withHook } from '@attune/nn'
import type { Tensor } from '@tensorflow/tfjs-core'

/** An auxiliary model (such as a teacher or the reference). */
export interface Auxiliary {
  readonly model: Model
  /** The objective on that model. */
  readonly objective: Objective
  /** Its parameters, from the step's frozen parameters and its own; a reference under an adapter shares the frozen base. */
  params(frozen: Params, own: Params): Params
}

/** Trees that are constant across steps. They are arguments of the step, since a captured tensor would be copied into every graph. */
export interface StepConstants extends Record<string, Tree> {
  /** Own parameters of the auxiliary models, by name. */
  readonly models: Readonly<Record<string, Params>>
  /** Constants prepared by each regularizer, by its index in the chain. */
  readonly regularizers: Readonly<Record<string, Tree>>
  /** Update masks by parameter. */
  readonly masks: Params
}

/** Empty constants of a step. */
export const NO_CONSTANTS: StepConstants = { models: {}, regularizers: {}, masks: {} }

/** Components with scheduled options, rebuilt for a step. */
export interface Rebuilt {
  readonly objective?: Objective
  readonly regularizers?: readonly Regularizer[]
  readonly optimizer?: Optimizer
}

/** Components of the training loss. */
export interface LossComponents {
  readonly model: Model
  readonly objective: Objective
  /** Regularizers; the first is the innermost. */
  readonly regularizers?: readonly Regularizer[]
  readonly models?: Readonly<Record<string, Auxiliary>>
  /** Rebuilds objective, regularizers and optimizer with the values of scheduled options. */
  rebuild?(scheduled: Readonly<Record<string, Tensor>>): Rebuilt
  /** True for gradient checkpointing: activations are computed again in the backward pass instead of stored. */
  readonly gradientCheckpointing?: boolean
  /** `launchBound` of the engine. */
  readonly launchBound?: boolean | undefined
}

/** Creates an auxiliary model for an evaluation of the loss. */
function auxiliaryModel({ model, objective, params }: Auxiliary, shared: Params, own: Params = {}): AuxiliaryModel {
  const all = mapParams((tensor) => stopGradient(tensor), params(shared, own))
  const modeFor = (keep: readonly Kept[]): Mode => ({ training: false, keep })
  return {
    params: all,
    forward: (inputs, keep = []) => model.forward(all, inputs as TextInputs, modeFor(keep)),
    head: (outputs, batch, keep = []) => objective.head(all, outputs, modeFor(keep), batch),
  }
}

/** Creates the auxiliary models for an evaluation of the loss. */
const auxiliaries = (
  models: Readonly<Record<string, Auxiliary>>,
  own: StepConstants['models'],
  frozen: Params,
): TrainingContext['models'] =>
  Object.fromEntries(Object.entries(models).map(([name, each]) => [name, auxiliaryModel(each, frozen, own[name])]))

/**
 * Adds the outputs of the objective's head on the reference model to a batch, as `reference`, if the objective compares with them.
 * @param shared parameters that the reference model may share with the trained one
 * @param own the other parameters of the reference model
 */
export function withReference(
  {
    objective: { needsReference },
    reference,
  }: { readonly objective: Objective; readonly reference?: Auxiliary | undefined },
  batch: OnDevice<Batch>,
  shared: Params,
  own?: Params,
): OnDevice<Batch> {
  if (needsReference !== true || reference === undefined) return batch
  const { forward, head } = auxiliaryModel(reference, shared, own)
  return { ...batch, reference: head(forward(batch.inputs), batch) }
}

/** Creates what a custom training loss receives, without its batch. */
function trainingContext(
  { model, models = {} }: LossComponents,
  constants: StepConstants,
  { trainable, frozen, mode, hyper, hook }: LossCall,
): TrainingContext {
  const params = withHook({ ...frozen, ...trainable }, hook)
  return {
    params,
    trainable,
    mode,
    hyper,
    forward: (given, change = {}) =>
      model.forward(withHook(change.params ?? params, change.hook), given as TextInputs, change.mode ?? mode),
    models: auxiliaries(models, constants.models, frozen),
  }
}

/** Creates the objective's loss on the model, without regularizers. */
function objectiveLoss(components: LossComponents, constants: StepConstants, totals?: Params): LossFunction {
  const { model, objective, models = {} } = components
  return (call) => {
    const { trainable, frozen, batch, mode, hook } = call
    if (objective.trainingLoss !== undefined)
      return reduceLosses(objective.trainingLoss(trainingContext(components, constants, call), batch), batch, totals)
    const params = withHook({ ...frozen, ...trainable }, hook)
    const whole = withReference(
      { objective, reference: models['reference'] },
      batch,
      frozen,
      constants.models['reference'],
    )
    const head = objective.head(params, model.forward(params, batch.inputs as TextInputs, mode), mode, whole)
    return { ...reduceLosses(objective.loss(head, whole), whole), head }
  }
}

/** Computes the weight of each loss of the objective in a batch, by name, if it has several; otherwise empty. */
export const objectiveWeights =
  (given: LossComponents, constants: StepConstants) =>
  (call: LossCall): Params => {
    const components = { ...given, ...given.rebuild?.(call.hyper.scheduled) }
    const context = trainingContext(components, constants, call)
    const losses = components.objective.trainingLoss?.(context, call.batch)
    return losses === undefined ? {} : lossWeights(losses, call.batch)
  }

/** Wraps a loss with one regularizer, which receives its own prepared constants. */
function regularized(loss: LossFunction, regularizer: Regularizer, prepared: Tree | undefined): LossFunction {
  const wrapped = regularizer.wrap(loss)
  if (prepared === undefined) return wrapped
  return (call: LossCall) => wrapped({ ...call, constants: prepared })
}

/**
 * Creates the training loss: the objective's loss, wrapped by the regularizers, the first innermost.
 * @param totals for a micro-batch, the weight of each of the objective's losses over all micro-batches of the step
 */
export function lossFunction(
  components: LossComponents,
  constants: StepConstants = NO_CONSTANTS,
  totals?: Params,
): LossFunction {
  return (call) => {
    const { regularizers = [], ...rest } = { ...components, ...components.rebuild?.(call.hyper.scheduled) }
    const whole = regularizers.reduce(
      (loss, regularizer, i) => regularized(loss, regularizer, constants.regularizers[i]),
      objectiveLoss(rest, constants, totals),
    )
    return whole(call)
  }
}

/** Stream of the noise that samples labels; different from those of dropout. */
const LABELS = deriveKey(key(0), 'sampled labels')[0] >>> 1

/**
 * The objective on labels that are sampled from its own predictions.
 * @throws AttuneError `NO_SAMPLED_LABELS`
 */
function withSampledLabels(objective: Objective, seed: Tensor): Objective {
  const { sampleLabels, trainingLoss } = objective
  if (sampleLabels === undefined || trainingLoss !== undefined)
    throw new AttuneError(
      'NO_SAMPLED_LABELS',
      'the optimizer samples labels from the predictions of the model: expected an objective with one distribution over classes for each text or token, got one without `sampleLabels`, or with a training loss of its own',
      'Use the objective sequence-classification, causal-language-modeling or instruction-tuning, or another estimator or optimizer.',
    )
  return {
    ...objective,
    head(params, outputs, mode, given) {
      const batch = sampleLabels.call(objective, params, outputs, mode, given, { seed, stream: LABELS })
      return { head: objective.head(params, outputs, mode, batch), batch }
    },
    loss(made) {
      const { head, batch } = made as { readonly head: Tree; readonly batch: OnDevice<Batch> }
      return objective.loss(head, batch)
    },
  }
}

/** Creates the objective's loss on labels sampled from the predictions, without regularizers; throws `NO_SAMPLED_LABELS`. */
export function sampledLoss(components: LossComponents, constants: StepConstants): LossFunction {
  return (call) => {
    const { objective, ...rest } = { ...components, ...components.rebuild?.(call.hyper.scheduled) }
    return objectiveLoss({ ...rest, objective: withSampledLabels(objective, call.hyper.seed) }, constants)(call)
  }
}
