import type {
  AuxiliaryModel,
  Hyper,
  Losses,
  Mode,
  Model,
  Objective,
  Params,
  TextInputs,
  TrainingContext,
} from '@attune/core'
import { withHook } from '@attune/nn'
import type { DeviceBatch } from './objective-subject.js'

/** Inputs of a training loss. */
export interface TrainingCall {
  readonly params: Params
  /** Parameters that train. Default: all. */
  readonly trainable?: Params
  /** Parameters of the auxiliary models, the teacher and the reference. */
  readonly others: Params
  readonly mode: Mode
  readonly hyper: Hyper
}

/** An auxiliary model, teacher or reference. */
const auxiliary = (objective: Objective, model: Model, params: Params): AuxiliaryModel => ({
  params,
  forward: (inputs, keep = []) => model.forward(params, inputs as TextInputs, { training: false, keep }),
  head: (outputs, batch, keep = []) => objective.head(params, outputs, { training: false, keep }, batch),
})

/** The unreduced training losses of a batch, as the training loop computes them. */
export function trainingLosses(
  objective: Objective,
  model: Model,
  { params, trainable = params, others, mode, hyper }: TrainingCall,
  batch: DeviceBatch,
): Losses | Readonly<Record<string, Losses>> {
  const forward: TrainingContext['forward'] = (inputs, change = {}) =>
    model.forward(withHook(change.params ?? params, change.hook), inputs as TextInputs, change.mode ?? mode)
  const other = auxiliary(objective, model, others)
  if (objective.trainingLoss !== undefined) {
    const models = { teacher: other, reference: other }
    return objective.trainingLoss({ params, trainable, mode, hyper, forward, models }, batch)
  }
  const inputs = batch.inputs
  const whole =
    objective.needsReference === true ? { ...batch, reference: other.head(other.forward(inputs), batch) } : batch
  return objective.loss(objective.head(params, forward(inputs), mode, whole), whole)
}
