import type {
  AuxiliaryModel,
  EncoderOutputs,
  HostTree,
  Hyper,
  Losses,
  Model,
  Objective,
  Params,
  TextInputs,
  TrainingContext,
  Tree,
} from '@attune/core'
import { reduceLosses, withHook } from '@attune/nn'
import { type Scalar, div } from '@tensorflow/tfjs-core'
import { describeScheduled } from './describe-scheduled.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers } from './host-array.js'
import type { DeviceBatch, Subject } from './objective-subject.js'

/** An objective under test with its options and dependencies. */
interface ScheduledObjective extends Subject {
  readonly options: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, unknown>>
}

/** Inputs of a step, as those of the training loop. */
type Inputs = Readonly<Record<'trained' | 'others', Params>> & { readonly batch: DeviceBatch; readonly hyper: Hyper }

/** An auxiliary model (a teacher, or the reference) with parameters of its own. */
const auxiliary = (model: Model, objective: Objective, params: Params): AuxiliaryModel => ({
  params,
  forward: (inputs, keep = []) => model.forward(params, inputs, { training: false, keep }),
  head: (outputs: EncoderOutputs, batch, keep = []) =>
    objective.head(params, outputs, { training: false, keep }, batch as DeviceBatch),
})

/** Mean training loss, in training mode without dropout of the model's own. */
function trainingLoss(model: Model, objective: Objective, { trained, others, batch, hyper }: Inputs): Scalar {
  const params = { ...others, ...trained }
  const mode = { training: true, key: { seed: hyper.seed, stream: 0 } } as const
  const inputs = batch.inputs as unknown as TextInputs
  const other = auxiliary(model, objective, others)
  const context: TrainingContext = {
    params,
    trainable: trained,
    mode,
    hyper,
    forward: (given, change = {}) =>
      model.forward(withHook(change.params ?? params, change.hook), given, change.mode ?? mode),
    models: { teacher: other, reference: other },
  }
  const losses: Losses | Readonly<Record<string, Losses>> =
    objective.trainingLoss === undefined
      ? objective.loss(objective.head(params, model.forward(params, inputs, mode), mode, batch), batch)
      : objective.trainingLoss(context, batch)
  const { sum, weight } = reduceLosses(losses, batch)
  return div(sum, weight)
}

/** The contract of {@link describeScheduled} for the training loss of an objective, and its gradients. */
export function describeScheduledObjective(subject: ScheduledObjective): void {
  const { plugin, engine, examples, model, options, dependencies, fit, prepare } = subject
  describeScheduled({
    plugin,
    engine,
    variants: [options],
    async prepare() {
      const fitted = await fit(examples)
      const { objective, body, head, trained, items } = await prepare()
      const number = (value: number) => floats([value], [])
      const hyper = { learningRate: number(0.1), step: number(2), steps: number(9), seed: integers([1, 2], [2]) }
      const inputs = {
        trained: await engine.read(trained),
        others: { ...(await engine.read(body)), ...(await engine.read(head)) },
        batch: objective.collate(items, () => 0.5),
        hyper: { ...hyper, scheduled: {} },
      }
      return {
        inputs: inputs as unknown as HostTree,
        step(given, changed) {
          const at = given as unknown as Inputs
          const own = plugin({ ...fitted, ...changed }, dependencies) as Objective
          const lossAt = (p: Params): Scalar => trainingLoss(model, own, { ...at, trained: p })
          return { loss: lossAt(at.trained), gradients: gradientsOf(lossAt, at.trained) as Tree }
        },
      }
    },
  })
}
