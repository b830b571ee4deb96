import type { HostTree, Hyper, Model, Objective, Params, Tree } from '@attune/core'
import { reduceLosses } from '@attune/nn'
import { type Scalar, div } from '@tensorflow/tfjs-core'
import { describeScheduled } from './describe-scheduled.js'
import { gradientsOf } from './gradients-of.js'
import { floats, integers } from './host-array.js'
import type { DeviceBatch, Subject } from './objective-subject.js'
import { trainingLosses } from './training-losses.js'

/** An objective under test with its options and dependencies. */
interface ScheduledObjective extends Subject {
  readonly options: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, unknown>>
}

/** Inputs of a step, as those of the training loop. */
type Inputs = Readonly<Record<'trained' | 'others', Params>> & { readonly batch: DeviceBatch; readonly hyper: Hyper }

/** Mean training loss, in training mode without dropout of the model's own. */
function trainingLoss(model: Model, objective: Objective, { trained, others, batch, hyper }: Inputs): Scalar {
  const mode = { training: true, key: { seed: hyper.seed, stream: 0 } } as const
  const call = { params: { ...others, ...trained }, trainable: trained, others, mode, hyper }
  const { sum, weight } = reduceLosses(trainingLosses(objective, model, call, batch), batch)
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
