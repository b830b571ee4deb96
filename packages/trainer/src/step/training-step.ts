import {
  type Batch,
  type Closure,
  type Hyper,
  type LossFunction,
  type Mode,
  type OnDevice,
  type Optimizer,
  type Params,
  type ReducedLoss,
  type TextInputs,
  type Tree,
  mapParams,
} from '@attune/core'
import { globalNorm, gradients, reduceLosses } from '@attune/nn'
import { type Scalar, type Tensor, add, clone, div, keep, mul, scalar, zerosLike } from '@tensorflow/tfjs-core'
import {
  type Auxiliary,
  type LossComponents,
  NO_CONSTANTS,
  type StepConstants,
  lossFunction,
  objectiveWeights,
  sampledLoss,
  withReference,
} from './loss-function.js'

/** State that a step updates. */
export interface TrainingState extends Record<string, Tree> {
  readonly trainable: Params
  readonly optimizer: Tree
}

/** Per-step inputs other than the batch. */
export type StepInputs = Hyper

/** Result of a step: the new state, the mean loss before the update and its gradient norm, both scalars. */
export interface StepResult extends Record<string, Tree> {
  readonly state: TrainingState
  readonly loss: Scalar
  readonly gradientNorm: Scalar
}

/** Components of a training step. */
export interface StepComponents extends LossComponents {
  readonly optimizer: Optimizer
}

/** Arguments for evaluating the loss and its gradient. */
interface Evaluation {
  readonly trainable: Params
  readonly frozen: Params
  readonly batch: OnDevice<Batch>
  readonly hyper: Hyper
}

/** Training mode of a step. */
const modeOf = (
  { gradientCheckpointing = false, launchBound = false }: LossComponents,
  { seed, scheduled }: Hyper,
): Mode => ({
  training: true,
  key: { seed, stream: 0 },
  gradientCheckpointing,
  launchBound,
  ...(Object.keys(scheduled).length === 0 ? {} : { scheduled }),
})

/** Computes a scalar of the training loss, its gradient with respect to the trainable parameters, and the loss's weight. */
function differentiate(
  loss: LossFunction,
  components: LossComponents,
  { trainable, frozen, batch, hyper }: Evaluation,
  scalarOf: (loss: ReducedLoss) => Tensor,
): { readonly value: Scalar; readonly grads: Params; readonly weight: Tensor } {
  let kept: Tensor | undefined
  const mode = modeOf(components, hyper)
  const forward = (): Tensor => {
    const reduced = loss({ trainable, frozen, batch, mode, hyper })
    kept = keep(reduced.weight) // everything else that is not returned is freed with the tape
    return scalarOf(reduced)
  }
  const { value, grads } = gradients(forward, trainable)
  const weight = clone(kept!)
  kept!.dispose()
  return { value: value as Scalar, grads, weight }
}

const meanOf = ({ sum, weight }: ReducedLoss): Tensor => div(sum, weight)

const hyperOf = (inputs: StepInputs, memory: Tree | undefined): Hyper =>
  (memory === undefined || Object.keys(memory).length === 0 ? inputs : { ...inputs, memory }) as Hyper

/**
 * Computes the mean training loss of a batch and its gradient with respect to the trainable parameters. Parameters that the loss does not
 * depend on have a zero gradient.
 */
export function lossAndGradients(
  components: LossComponents,
  evaluation: Evaluation,
  constants: StepConstants = NO_CONSTANTS,
): { readonly loss: Scalar; readonly grads: Params } {
  const { value, grads, weight } = differentiate(lossFunction(components, constants), components, evaluation, meanOf)
  weight.dispose()
  return { loss: value, grads }
}

const optimizerAt = (
  { optimizer, rebuild }: Pick<StepComponents, 'optimizer' | 'rebuild'>,
  { scheduled }: Hyper,
): Optimizer => rebuild?.(scheduled).optimizer ?? optimizer

/** Sets values of elements that do not train to 0. */
function masked(values: Params, masks: Params): Params {
  const apply = (value: Tensor, mask: Tensor | undefined): Tensor => (mask === undefined ? value : mul(value, mask))
  return mapParams(apply as (...each: Tensor[]) => Tensor, values, masks)
}

/**
 * Computes the next state and the gradient norm.
 * @param grads gradients in which those of elements that do not train are 0, so that no norm counts them
 */
function update(
  optimizer: Optimizer,
  state: TrainingState,
  grads: Params,
  { hyper, masks, closure }: { readonly hyper: Hyper; readonly masks: Params; readonly closure?: Closure },
): Pick<StepResult, 'state' | 'gradientNorm'> {
  const { updates, state: next } = optimizer.update(grads, state.optimizer, state.trainable, hyper, closure)
  const trainable = mapParams((p, by) => add(p, by), state.trainable, masked(updates, masks))
  return { state: { trainable, optimizer: next }, gradientNorm: globalNorm(grads) }
}

/**
 * The training step: a pure function of state, frozen parameters, batch, per-step inputs, constants and the epoch's memory. Gradient
 * clipping and similar transformations are links of `optimizer`. Masks multiply the gradients, so that norms are those of the elements that
 * train (as in PyTorch, where others have `requires_grad=False`), and the updates, which weight decay and momentum would change.
 *
 * @example
 * ```ts
 * import { type Batch, key } from '@attune/core'
 * import { tfjsCpu } from '@attune/engine-tfjs-cpu'
 * import { sequenceClassification } from '@attune/objective-sequence-classification'
 * import { sgd } from '@attune/optimizer-sgd'
 * import { tinyModel, tinyTokenizer } from '@attune/testkit/tiny'
 * import { stepInputs, trainingStep } from '@attune/trainer'
 * const [engine, optimizer, model] = [tfjsCpu(), sgd(), tinyModel()]
 * await engine.start()
 * const objective = sequenceClassification({ labels: ['no', 'yes'] }, { model, tokenizer: tinyTokenizer() })
 * const step = engine.compile(trainingStep({ model, objective, optimizer }))
 * const trainable = { ...model.init(key(1)), ...objective.init(key(2)) }
 * const batch = engine.put(objective.collate([objective.encode({ text: 'ok', label: 'yes' })]) as Batch)
 * const inputs = engine.put(stepInputs({ learningRate: 0.1, step: 1, steps: 1, seed: key(3) }))
 * const { state, loss } = step({ trainable, optimizer: optimizer.init(trainable) }, {}, batch, inputs)
 * console.log(Object.keys(state.trainable).length > 0, loss.shape) // true []
 * ```
 */
export const trainingStep =
  (components: StepComponents) =>
  (
    state: TrainingState,
    frozen: Params,
    batch: OnDevice<Batch>,
    inputs: StepInputs,
    constants: StepConstants = NO_CONSTANTS,
    memory?: Tree,
  ): StepResult => {
    const hyper = hyperOf(inputs, memory)
    const closure: Closure = (trainable, labels) => {
      const loss = (labels === 'sampled' ? sampledLoss : lossFunction)(components, constants)
      const { value, grads, weight } = differentiate(loss, components, { trainable, frozen, batch, hyper }, meanOf)
      return { loss: value, grads: masked(grads, constants.masks), weight }
    }
    const { loss, grads } = closure(state.trainable)
    return {
      ...update(optimizerAt(components, hyper), state, grads, { hyper, masks: constants.masks, closure }),
      loss: loss as Scalar,
    }
  }

/** Sums over micro-batches: the gradient of the summed losses, that sum, and its weight. */
export interface Accumulated extends Record<string, Tree> {
  readonly grads: Params
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** Zero sums to start {@link accumulateStep} with. */
export const emptyAccumulation = (trainable: Params): Accumulated => ({
  grads: mapParams((p) => zerosLike(p), trainable),
  lossSum: scalar(0),
  lossWeight: scalar(0),
})

/**
 * Computes the weight of each loss of the objective in one micro-batch, by name, `[]`; empty if it has a single loss. Their sums over the
 * micro-batches of a step are the `totals` of {@link accumulateStep}. A compiling engine evaluates only what the weights depend on, which
 * is usually not the model.
 */
export const lossWeightsStep =
  (components: LossComponents) =>
  (
    trainable: Params,
    frozen: Params,
    batch: OnDevice<Batch>,
    inputs: StepInputs,
    constants: StepConstants = NO_CONSTANTS,
    memory?: Tree,
  ): Params => {
    const hyper = hyperOf(inputs, memory)
    const mode = modeOf(components, hyper)
    return objectiveWeights(components, constants)({ trainable, frozen, batch, mode, hyper })
  }

/**
 * Accumulates the gradient of one micro-batch. Sums are divided only at the end, so the result does not depend on the split into micro-batches.
 * `totals` are the weights of the losses over all micro-batches, from {@link lossWeightsStep}; empty for an objective with a single loss.
 * @throws AttuneError `BAD_ARGUMENT` for an objective with several losses and no totals
 */
export const accumulateStep =
  (components: LossComponents) =>
  (
    sums: Accumulated,
    trainable: Params,
    frozen: Params,
    batch: OnDevice<Batch>,
    inputs: StepInputs,
    constants: StepConstants = NO_CONSTANTS,
    memory?: Tree,
    totals: Params = {},
  ): Accumulated => {
    const evaluation = { trainable, frozen, batch, hyper: hyperOf(inputs, memory) }
    const loss = lossFunction(components, constants, totals)
    const { value, grads, weight } = differentiate(loss, components, evaluation, ({ sum }) => sum)
    return {
      grads: mapParams((sum, part) => add(sum, part), sums.grads, grads),
      lossSum: add(sums.lossSum, value),
      lossWeight: add(sums.lossWeight, weight),
    }
  }

/** Updates the state from accumulated gradients; together with {@link accumulateStep}, a training step. */
export const applyStep =
  (components: Pick<StepComponents, 'optimizer' | 'rebuild'>) =>
  (
    state: TrainingState,
    { grads, lossSum, lossWeight }: Accumulated,
    inputs: StepInputs,
    { masks }: StepConstants = NO_CONSTANTS,
    memory?: Tree,
  ): StepResult => {
    const mean = masked(
      mapParams((sum) => div(sum, lossWeight), grads),
      masks,
    )
    const hyper = hyperOf(inputs, memory)
    return { ...update(optimizerAt(components, hyper), state, mean, { hyper, masks }), loss: div(lossSum, lossWeight) }
  }

/** Result of inference on a batch. */
export interface InferenceResult extends Record<string, Tree> {
  readonly head: Tree
  readonly lossSum: Tensor
  readonly lossWeight: Tensor
}

/** Components of an evaluation. */
export interface InferenceComponents extends Pick<StepComponents, 'model' | 'objective' | 'launchBound'> {
  /** The reference model, for an objective that compares with it. */
  readonly reference?: Auxiliary | undefined
}

/**
 * Forward pass in evaluation mode (no dropout), with the loss on the references in the batch. `own` are the parameters of the reference
 * model, if there is one, that differ from the others.
 */
export const inferenceStep =
  ({ model, objective, launchBound = false, reference }: InferenceComponents) =>
  (params: Params, given: OnDevice<Batch>, own?: Params): InferenceResult => {
    const mode = { training: false, launchBound } as const
    const batch = withReference({ objective, reference }, given, params, own)
    const head = objective.head(params, model.forward(params, batch.inputs as unknown as TextInputs, mode), mode, batch)
    const { sum, weight } = reduceLosses(objective.loss(head, batch), batch)
    return { head, lossSum: sum, lossWeight: weight }
  }
